import { setTimeout as pause } from 'node:timers/promises';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { aboutOf, hasNoStream } from '#gateway/core/upstream-status.ts';
import type { MaybePromise } from '#gateway/ports.ts';
import { bodyKind } from './body.ts';
import type { Exchange, Head, WireRequest } from './http-exchange.ts';
import type { Link } from './link.ts';
import { createSseParser, isSseFlaw } from './sse.ts';

/** `stood`: it was a stream, and ended. `unfit`: not now, and it does not look as if soon. `none`: there is no such stream. */
export type Outcome = 'stood' | 'broke' | 'unfit' | 'none';

/** A stream on which a server tells of changes, for as long as somebody listens: one for each era. */
export interface HeldStream {
  /** Made anew each time, with the credential of that moment. */
  request(): Pick<WireRequest, 'method' | 'headers' | 'body'>;
  readonly signal: AbortSignal;
  opened(): void;
  /** The connection could not be made, or broke before there was an answer. */
  unreached?(refusal: Refusal): void;
  /** What an answer that is no stream means in this era, when it is more than its status says. */
  means?(status: number): Outcome | null;
  take(data: string): MaybePromise<void>;
  /** Called after each read: where to go on from, and how soon the server wants to be asked again (milliseconds). */
  at?(lastEventId: string, retry: number | null): void;
}

const eventBytes = 1024 * 1024;

/** Holds the stream until it ends. */
export async function hold(link: Link, stream: HeldStream): Promise<Outcome> {
  const { signal } = stream;
  if (await link.credential.ready()) return 'broke';
  const { value: sentWith } = link.credential;
  const exchange = link.wire.open({ ...stream.request(), firstByte: null, idle: null });
  const stop = (): void => exchange.abort(link.failures.closed);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const outcome = await heard(link, stream, { exchange, sentWith });
  exchange.discard();
  signal.removeEventListener('abort', stop);
  return outcome;
}

/** A request for the stream, and the credential it went with. */
interface Asked {
  readonly exchange: Exchange;
  readonly sentWith: string | null;
}

async function heard(link: Link, stream: HeldStream, { exchange, sentWith }: Asked): Promise<Outcome> {
  const head = await exchange.head;
  if (isRefusal(head)) {
    stream.unreached?.(head);
    return 'broke';
  }
  // Another may have been got since: that one is not what the server did not take.
  if (head.status === 401) link.credential.rejected(sentWith);
  const turned = turnedAway(head, stream);
  if (turned !== null) return turned;
  stream.opened();
  await hear(link, stream, exchange);
  return 'stood';
}

/** What an answer without a stream means; null when it is a stream. */
function turnedAway(head: Head, stream: HeldStream): Outcome | null {
  const { status, headers } = head;
  const plain = (headers['content-encoding'] ?? 'identity') === 'identity';
  if (status === 200) return bodyKind(head) === 'events' && plain ? null : 'none';
  if (hasNoStream(status)) return 'none';
  return stream.means?.(status) ?? (aboutOf(status) === 'request' ? 'unfit' : 'broke');
}

async function hear(link: Link, stream: HeldStream, exchange: Exchange): Promise<void> {
  const parser = createSseParser({ eventBytes });
  for (;;) {
    const bit = await exchange.read();
    if (!Buffer.isBuffer(bit)) return;
    const events = parser.push(bit);
    if (isSseFlaw(events)) {
      link.log.warn({ server: link.server, flaw: events.sse }, 'the stream of changes cannot be read');
      return exchange.abort(link.failures.invalid(events.sse));
    }
    for (const { event, data } of events) {
      if (data !== '' && (event === '' || event === 'message')) await stream.take(data);
    }
    stream.at?.(parser.lastEventId, parser.retry);
  }
}

/** Milliseconds. A 404 is mostly the server's own word, and then it costs little; it may also be a proxy's, and then passes. */
const waits = { first: 1_000, longest: { stood: 30_000, broke: 30_000, unfit: 600_000 } } as const;

/** Milliseconds after which a stream that ends was a good one: proxies end them after half a minute, and that is no outage. */
const goodAfter = 10_000;

type Waits = (outcome: Exclude<Outcome, 'none'>, stoodMs: number, atLeast: number) => number;

/**
 * How long until the stream is asked for again: twice as long each time, and from the start after a good one. `random` keeps
 * the gateways of a fleet from coming at the same moment, also where the server said how long it wants to be left alone.
 */
export function createWaits(random: () => number): Waits {
  let next: number = waits.first;
  return (outcome, stoodMs, atLeast) => {
    if (outcome === 'stood' && stoodMs >= goodAfter) next = waits.first;
    const due = Math.min(next, waits.longest[outcome]);
    next = due * 2;
    return Math.max(due * (0.75 + random() / 2), Math.min(atLeast, waits.longest.stood) * (1 + random() / 2));
  };
}

/** Holds a stream again and again, until nobody listens any more or the server has none. */
export async function keepHolding(
  signal: AbortSignal,
  once: () => Promise<Outcome>,
  atLeast: () => number = () => 0,
): Promise<void> {
  const wait = createWaits(Math.random);
  while (!signal.aborted) {
    const began = performance.now();
    const outcome = await once();
    if (outcome === 'none') return;
    const ms = wait(outcome, performance.now() - began, atLeast());
    await pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
