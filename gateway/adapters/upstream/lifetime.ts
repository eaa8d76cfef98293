import type { Leaving } from '#gateway/core/leaving.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Failures } from './failures.ts';

/** How long one call may take: its total time, and as long as somebody wants the answer. */
export interface Lifetime {
  /** Why it is over, or null. */
  readonly over: Refusal | null;
  /** True while a person is being asked. */
  readonly asking: boolean;
  /** Calls back once when it is over; gives back how to take that off again. */
  onOver(tell: (why: Refusal) => void): () => void;
  /** The clock stands still while a person is asked; another one, much longer, runs. */
  askBegins(): void;
  askEnds(): void;
  /** Waits, or less when it is over before. */
  sleep(ms: number): Promise<void>;
  /** What `promise` brings, or why it was not waited for. */
  race<T>(promise: Promise<T>): Promise<T | Refusal>;
  end(): void;
}

/** As long as the official SDK's clients wait for a person. */
const longestAsk = 600_000;

export function createLifetime(options: {
  readonly failures: Failures;
  readonly timeout: number;
  readonly signal: Leaving | null;
}): Lifetime {
  const { failures, timeout, signal } = options;
  const told = new Set<(why: Refusal) => void>();
  let over: Refusal | null = null;
  let ended = false;
  let asks = 0;
  let left = timeout;
  let since = performance.now();

  const finish = (why: Refusal): void => {
    if (over) return;
    end();
    over = why;
    for (const tell of [...told]) tell(why);
    told.clear();
  };
  const runOut = (): void => finish(failures.timeout('did not answer completely', timeout));
  let timer = setTimeout(runOut, left);

  const leave = (): void => finish(failures.cancelled);
  const end = (): void => {
    ended = true;
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  };
  signal?.addEventListener('abort', leave);
  if (signal?.aborted) leave();

  const onOver = (tell: (why: Refusal) => void): (() => void) => {
    if (over) tell(over);
    else told.add(tell);
    return () => told.delete(tell);
  };

  return {
    get over() {
      return over;
    },
    get asking() {
      return asks > 0;
    },
    onOver,
    askBegins() {
      if (asks++ > 0 || ended) return;
      clearTimeout(timer);
      left -= performance.now() - since;
      timer = setTimeout(
        () => finish(failures.timeout('asked a question that nobody answered', longestAsk)),
        longestAsk,
      );
    },
    askEnds() {
      if (--asks > 0 || ended) return;
      clearTimeout(timer);
      since = performance.now();
      timer = setTimeout(runOut, Math.max(0, left));
    },
    sleep(ms) {
      if (over) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(alarm);
          off();
          resolve();
        };
        const alarm = setTimeout(wake, ms);
        const off = onOver(wake);
      });
    },
    race: (promise) =>
      new Promise((resolve, reject) => {
        const off = onOver(resolve);
        void promise.then(resolve, reject).finally(off);
      }),
    end,
  };
}
