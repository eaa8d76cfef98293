import { type Leaving, whenLeft } from './leaving.ts';
import { type Ceiling, withinCeiling, withinTools } from './principal.ts';
import type { View } from './snapshot.ts';

/** What a server tells without being asked: look again. */
export type NewsItem =
  | { readonly kind: 'changed'; readonly server: string; readonly what: ListName }
  | { readonly kind: 'updated'; readonly server: string; readonly uri: string };
export type ListName = 'tools' | 'prompts' | 'resources';

export interface News {
  publish(item: NewsItem): void;
  /** What comes from now on and is wanted, until nobody listens any more. */
  listen(wanted: (item: NewsItem) => boolean, signal: Leaving): AsyncIterable<NewsItem>;
}

/** Which changes of lists a caller may know of: those of lists that it could have something from. */
export function changesFor({ servers }: View, ceiling: Ceiling): (item: NewsItem & { kind: 'changed' }) => boolean {
  const within = (may: typeof withinTools): ReadonlySet<string> =>
    new Set(servers.filter(({ tier, id }) => may(ceiling, tier, id)).map(({ id }) => id));
  const [tools, whole] = [within(withinTools), within((...of) => withinCeiling(...of, null))];
  return ({ server, what }) => (what === 'tools' ? tools : whole).has(server);
}

/** Nothing is kept but what a listener has not taken yet, and of that each thing once: news say only "look again". */
export function createNews(): News {
  const listeners = new Set<(item: NewsItem) => void>();
  return {
    publish(item) {
      for (const tell of listeners) tell(item);
    },
    listen: (wanted, signal) => listening(listeners, wanted, signal),
  };
}

/** Listens from now on, not only from when the first piece is taken: what comes in between counts. */
function listening(
  listeners: Set<(item: NewsItem) => void>,
  wanted: (item: NewsItem) => boolean,
  signal: Leaving,
): AsyncIterable<NewsItem> {
  const waiting = new Map<string, NewsItem>();
  let wake: () => void = () => undefined;
  const tell = (item: NewsItem): void => {
    if (!wanted(item)) return;
    waiting.set(JSON.stringify(item), item);
    wake();
  };
  const leave = (): void => {
    listeners.delete(tell);
    wake();
  };
  listeners.add(tell);
  whenLeft(signal, leave);
  return taking();

  async function* taking(): AsyncGenerator<NewsItem> {
    try {
      while (!signal.aborted) {
        for (const [key, item] of waiting) {
          waiting.delete(key);
          yield item;
        }
        if (waiting.size > 0 || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      listeners.delete(tell);
      signal.removeEventListener('abort', leave);
    }
  }
}
