import { type Authenticated, type Listed, learn } from '#gateway/core/call.ts';
import { type Ending, type ExchangeEvent, metaKeys, resultOf, type StreamAnswer } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { createLeaving, type Departure, whenLeft } from '#gateway/core/leaving.ts';
import { changesFor, type ListName, type News, type NewsItem } from '#gateway/core/news.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { mostSeats, type Seats } from '#gateway/core/seats.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import { hear } from './hear.ts';
import { readable, type SubscribePorts } from './subscribe.ts';

interface Ports extends SubscribePorts {
  readonly news: News;
  readonly seats: Seats;
}

const mostUris = 32;
const lists: readonly ListName[] = ['tools', 'prompts', 'resources'];

/** What servers tell without being asked: of all in the view, and of the resources that this caller may read. */
export async function listen(call: Authenticated, ports: Ports): Promise<Listed | Refusal> {
  const { notifications: asked } = call.params;
  if (!isJsonObject(asked)) return refuse('arguments_invalid', '"notifications" must be an object.');
  const uris = asked.resourceSubscriptions ?? [];
  if (!isUris(uris)) return refuse('arguments_invalid', `"resourceSubscriptions" must be ${mostUris} URIs at most.`);
  const { principal, run } = call.identity;
  const seat = ports.seats.take(JSON.stringify([principal.id, run.id]));
  if (seat === 'all') return refuse('overloaded', 'Too many listen already.');
  if (seat === 'own') return refuse('rate_limited', `A run may listen ${mostSeats.own} times at once.`);
  // All that is taken from here on is given back when this fires: at the end of the stream, or when the call ends before.
  const over = createLeaving();
  whenLeft(over, seat);
  whenLeft(call.signal, () => over.abort());
  try {
    const answer = await begin(call, asked, uris, over, ports);
    if (!isRefusal(answer)) return learn(call, { answer });
    over.abort();
    return answer;
  } catch (fault) {
    over.abort();
    throw fault;
  }
}

async function begin(
  call: Authenticated,
  asked: JsonObject,
  uris: readonly string[],
  over: Departure,
  ports: Ports,
): Promise<StreamAnswer | Refusal> {
  const changes = lists.filter((what) => asked[`${what}ListChanged`] === true);
  const wanted = [...new Set(uris)].flatMap((uri) => readable(call, uri, ports) ?? []);
  const targets = wanted.map(({ target }) => target);
  const news = ports.news.listen(wantedBy(call, changes, targets), over);
  const heard = await hear(wanted, over, ports);
  return isRefusal(heard) ? heard : { kind: 'stream', events: events(call, { news, changes, heard, over }) };
}

const isUris = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= mostUris && value.every((uri) => typeof uri === 'string');

interface Listening {
  readonly news: AsyncIterable<NewsItem>;
  readonly changes: readonly ListName[];
  readonly heard: readonly Target[];
  readonly over: Departure;
}

async function* events(
  call: Authenticated,
  { news, changes, heard, over }: Listening,
): AsyncGenerator<ExchangeEvent | Ending> {
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
      // By the name that the caller asked by, which may say whose it is.
      else for (const { exposed } of heard.filter(isOf(item))) yield say('resources/updated', { uri: exposed });
    }
    yield resultOf({ _meta });
  } finally {
    over.abort();
  }
}

type Updated = Extract<NewsItem, { kind: 'updated' }>;
const isOf =
  ({ server, uri }: Updated) =>
  (target: Target): boolean =>
    target.server.id === server && target.name === uri;

function wantedBy({ view, identity }: Authenticated, changes: readonly ListName[], targets: readonly Target[]) {
  const may = changesFor(view, identity.ceiling);
  return (item: NewsItem): boolean =>
    item.kind === 'changed' ? changes.includes(item.what) && may(item) : targets.some(isOf(item));
}

const honoured = (changes: readonly ListName[], heard: readonly Target[]): JsonObject => ({
  ...Object.fromEntries(changes.map((what) => [`${what}ListChanged`, true])),
  ...(heard.length > 0 ? { resourceSubscriptions: heard.map(({ exposed }) => exposed) } : {}),
});
