import { type Answer, type Ending, type ExchangeEvent, isEnding } from '#gateway/core/exchange.ts';

/** An answer on its way: a plain one while nothing comes before its end, a stream from the first notification on. */
export interface Answering {
  readonly answer: Promise<Answer>;
  add(event: ExchangeEvent): void;
  /** Call it once; nothing may be added after it. */
  end(final: Ending): void;
}

/** What a caller who reads slowly makes us hold. Progress is news: the oldest goes first. */
const mostHeld = 256;

/** `left` is called when the reader leaves the stream before its end. */
export function createAnswering(left: () => void): Answering {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let stream: EventQueue | null = null;
  return {
    answer: promise,
    add(event) {
      if (stream === null) {
        stream = createEventQueue(left);
        resolve({ kind: 'stream', events: stream.events });
      }
      stream.push(event);
    },
    end(final) {
      if (stream) stream.push(final);
      else resolve(final);
    },
  };
}

interface EventQueue {
  readonly events: AsyncIterable<ExchangeEvent | Ending>;
  push(event: ExchangeEvent | Ending): void;
}

type Step = IteratorResult<ExchangeEvent | Ending, undefined>;
const done: Step = { done: true, value: undefined };

/** By hand and not a generator: leaving has to work at once, also while the reader waits for the next event. */
function createEventQueue(left: () => void): EventQueue {
  const queue: (ExchangeEvent | Ending)[] = [];
  let wake: ((step: Step) => void) | null = null;
  let over = false;

  const iterator: AsyncIterator<ExchangeEvent | Ending, undefined> = {
    next() {
      const event = queue.shift();
      if (event) return Promise.resolve({ done: false, value: event });
      if (over) return Promise.resolve(done);
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    return() {
      const early = !over;
      over = true;
      queue.length = 0;
      wake?.(done);
      wake = null;
      if (early) left();
      return Promise.resolve(done);
    },
  };
  return {
    events: { [Symbol.asyncIterator]: () => iterator },
    push(event) {
      if (over) return;
      over = isEnding(event);
      if (wake === null) {
        if (queue.length >= mostHeld) queue.shift();
        queue.push(event);
        return;
      }
      wake({ done: false, value: event });
      wake = null;
    },
  };
}
