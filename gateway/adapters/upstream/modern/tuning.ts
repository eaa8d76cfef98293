import type { JsonObject } from '#gateway/core/json.ts';
import { keepHolding, type Outcome } from '../held-stream.ts';
import type { Link } from '../link.ts';
import { subscribe } from './subscription.ts';

/** The stream of a server's news, whose filter is fixed for as long as it stands (A7): for another one, another is opened. */
export interface Tuning {
  /** Listens for this from now on. What the server says it will tell; null when it will not, or does not say in time. */
  to(filter: JsonObject): Promise<JsonObject | null>;
  /** Ends every stream. */
  silence(): void;
}

interface Stream {
  readonly stop: AbortController;
  readonly filter: string;
  /** True when the server said what it tells, or it was waited for long enough. */
  settled: boolean;
  told: JsonObject | null;
  /** True when the server has no such stream; it may be asked again when something else is. */
  over: boolean;
}

/**
 * Two streams stand at most: the newest, and until the server agrees to that the one it agreed to before, so that what
 * changes in between is heard twice rather than never. A server that never agrees must not hold one for each filter.
 *
 * @param patience Milliseconds that a server has to agree.
 */
export function createTuning(link: Link, patience: number): Tuning {
  let current: Stream | null = null;
  let before: Stream | null = null;
  // Shared by all who wait: whoever waited for a filter that was never agreed to waits for the one in its place.
  let agreed = Promise.withResolvers<JsonObject | null>();

  const silence = (): void => {
    for (const stream of [before, current]) stream?.stop.abort();
    before = null;
    current = null;
    agreed.resolve(null);
  };

  const settle = (stream: Stream): void => {
    if (stream !== current || stream.settled) return;
    stream.settled = true;
    before?.stop.abort();
    before = null;
    agreed.resolve(stream.told);
  };

  const replace = (stream: Stream): void => {
    if (current && !current.settled) current.stop.abort();
    else {
      before?.stop.abort();
      before = current;
      agreed = Promise.withResolvers();
    }
    current = stream;
  };

  const open = (filter: string): void => {
    const stream: Stream = { stop: new AbortController(), filter, settled: false, told: null, over: false };
    const { signal } = stream.stop;
    const timer = setTimeout(() => settle(stream), patience).unref();
    signal.addEventListener('abort', () => clearTimeout(timer));
    replace(stream);
    const once = async (): Promise<Outcome> => {
      const outcome = await subscribe(link, JSON.parse(filter) as JsonObject, signal, (told) => {
        stream.told = told;
        settle(stream);
      });
      stream.over = outcome === 'none';
      settle(stream);
      return outcome;
    };
    link.behind(keepHolding(signal, once));
  };

  return {
    to(filter) {
      const next = JSON.stringify(filter);
      if (next === '{}') {
        silence();
        return Promise.resolve(null);
      }
      if (current?.filter !== next || current.over) open(next);
      return current?.settled ? Promise.resolve(current.told) : agreed.promise;
    },
    silence,
  };
}
