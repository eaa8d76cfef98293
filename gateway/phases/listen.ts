import type { BudgetLimits } from '#gateway/core/budget.ts';
import { type Authenticated, type Listed, learn } from '#gateway/core/call.ts';
import { type Ending, type ExchangeEvent, metaKeys, resultOf, type StreamAnswer } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { changesFor, type ListName, type News, type NewsItem } from '#gateway/core/news.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import type { Budgets, Hashing } from '#gateway/ports.ts';
import { readable, type SubscribePorts, subscribe, unsubscribe } from './subscribe.ts';

interface Ports extends SubscribePorts {
  readonly hashing: Hashing;
  readonly budgets: Budgets;
  readonly runBudget: BudgetLimits;
}

const mostUris = 32;
const mostOfARun = 8;
const mostOfAll = 10_000;
const lists: readonly ListName[] = ['tools', 'prompts', 'resources'];

/** What servers tell without being asked: of all in the view, and of the resources that this caller may read. */
export async function listen(call: Authenticated, ports: Ports): Promise<Listed | Refusal> {
  const { notifications: asked } = call.params;
  if (!isJsonObject(asked)) return refuse('arguments_invalid', '"notifications" must be an object.');
  const uris = asked.resourceSubscriptions ?? [];
  if (!isUris(uris)) return refuse('arguments_invalid', `"resourceSubscriptions" must be ${mostUris} URIs at most.`);
  if (ports.news.listeners >= mostOfAll) return refuse('overloaded', 'Too many listen already.');
  const seat = seatOf(call, ports.news);
  if (seat === null) return refuse('rate_limited', `A run may listen ${mostOfARun} times at once.`);
  const changes = lists.filter((what) => asked[`${what}ListChanged`] === true);
  const targets = [...new Set(uris)].flatMap((uri) => readable(call, uri, ports) ?? []);
  const stop = createLeaving();
  call.signal.addEventListener('abort', () => stop.abort());
  if (call.signal.aborted) stop.abort();
  const news = ports.news.listen(wantedBy(call, changes, targets), stop);
  const told = await subscribeAll(call, targets, ports).catch((fault: unknown) => {
    ports.news.release(seat);
    stop.abort();
    throw fault;
  });
  const heard = targets.filter((_, at) => told[at] === true);
  const answer: StreamAnswer = { kind: 'stream', events: events(call, ports, { news, changes, heard, seat }) };
  return learn(call, { answer });
}

const subscribeAll = (call: Authenticated, targets: readonly Target[], ports: Ports): Promise<boolean[]> =>
  Promise.all(targets.map((target) => subscribe(call, target, ports)));

const isUris = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= mostUris && value.every((uri) => typeof uri === 'string');

interface Listening {
  readonly news: AsyncIterable<NewsItem>;
  readonly changes: readonly ListName[];
  readonly heard: readonly Target[];
  readonly seat: string;
}

async function* events(
  call: Authenticated,
  ports: Ports,
  listening: Listening,
): AsyncGenerator<ExchangeEvent | Ending> {
  const { news, changes, heard, seat } = listening;
  const _meta = { [metaKeys.subscription]: call.id ?? '' };
  const say = (method: string, params: JsonObject): ExchangeEvent => ({
    kind: 'notification',
    method: `notifications/${method}`,
    params: { ...params, _meta },
  });
  try {
    // First of all, and only what will really be told (basic/patterns/subscriptions).
    yield say('subscriptions/acknowledged', { notifications: honoured(changes, heard) });
    for await (const item of news) {
      if (item.kind === 'changed') yield say(`${item.what}/list_changed`, {});
      else if (isOf(heard, item)) yield say('resources/updated', { uri: item.uri });
    }
    yield resultOf({ _meta });
  } finally {
    ports.news.release(seat);
    for (const target of heard) await unsubscribe(call, target, ports);
  }
}

type Updated = Extract<NewsItem, { kind: 'updated' }>;
const isOf = (targets: readonly Target[], { server, uri }: Updated): boolean =>
  targets.some((target) => target.server.id === server && target.name === uri);

function wantedBy({ view, identity }: Authenticated, changes: readonly ListName[], targets: readonly Target[]) {
  const may = changesFor(view, identity.ceiling);
  return (item: NewsItem): boolean =>
    item.kind === 'changed' ? changes.includes(item.what) && may(item) : isOf(targets, item);
}

const honoured = (changes: readonly ListName[], heard: readonly Target[]): JsonObject => ({
  ...Object.fromEntries(changes.map((what) => [`${what}ListChanged`, true])),
  ...(heard.length > 0 ? { resourceSubscriptions: heard.map((target) => target.name) } : {}),
});

/** A place among those of the run, by its key; null when all are taken. */
function seatOf({ identity }: Authenticated, news: News): string | null {
  for (let seat = 1; seat <= mostOfARun; seat++) {
    const key = JSON.stringify(['seat', identity.principal.id, identity.run.id, seat]);
    if (news.hold(key)) return key;
    news.release(key);
  }
  return null;
}
