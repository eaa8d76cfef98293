import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import type { Live, Upstream, UpstreamNotice } from '#gateway/ports.ts';
import { type SlotCall, sendIn } from './calls.ts';
import { createFailures } from './failures.ts';
import { createLifetime } from './lifetime.ts';
import type { Link, UpstreamLog } from './link.ts';
import { gatherLive } from './live.ts';
import { askOnce } from './session.ts';
import { createSessions, type Keeping, usualKeeping } from './sessions.ts';
import { createSlot, type Slot } from './slot.ts';
import { type Carrier, createWire, type Egress } from './wire.ts';

export interface HttpUpstreamOptions {
  readonly id: string;
  readonly url: string;
  /** The gateway's own credential at this server. */
  readonly bearer: string | null;
  /** The newest revision that is offered. */
  readonly revision: string;
  readonly limits: Limits;
  readonly egress: Egress;
  readonly log: UpstreamLog;
  notify(notice: UpstreamNotice): void;
  readonly keeping?: Partial<Keeping>;
  readonly carrier?: Carrier;
  /** True when callers that cannot be asked in the middle of a call are asked all the same, by parking it. */
  readonly parks?: boolean;
}

export const pageBytes = 8 * 1024 * 1024;
const closePatience = 3_000;

export interface HttpUpstream extends Upstream {
  /** Ends its sessions, each when its last call is over. */
  retire(): Promise<void>;
}

/** A server behind streamable HTTP, spoken to as up to 2025-11-25: with sessions, and questions on its streams. */
export function createHttpUpstream(options: HttpUpstreamOptions, shared: Line | null = null): HttpUpstream {
  const { revision, limits } = options;
  const line = shared ?? openLine(options);
  const { link } = line;
  const keeping = { ...usualKeeping, ...options.keeping };
  const sessions = createSessions(link, { revision, limits, keeping, parks: options.parks ?? false });
  const own = createSlot(link, { revision, declared: {}, limits });

  return {
    async send(call) {
      const life = createLifetime({ failures: link.failures, timeout: call.limits.timeout, signal: call.signal });
      const slot = life.over ?? sessions.enter(call);
      if (isRefusal(slot)) {
        life.end();
        return { kind: 'refusal', refusal: slot };
      }
      const sent: SlotCall = { link, call, slot, life, leave: once(() => sessions.leave(slot)) };
      try {
        return await sendIn(sent);
      } catch (fault) {
        life.end();
        sent.leave();
        throw fault;
      }
    },
    live() {
      void own.listen();
      return live(link, own, limits);
    },
    async retire() {
      await Promise.all([own.close(), sessions.retire()]);
    },
    async close() {
      const ended = Promise.all([own.close(), sessions.close()]);
      // A line that others use as well is theirs to close, and so is the work behind it.
      if (shared) await ended;
      else await closeLine(line, ended);
    },
  };
}

/** What both eras of one server share: its connections, and the work behind its calls. */
export interface Line {
  readonly link: Link;
  readonly work: ReadonlySet<Promise<unknown>>;
}

/** Waits for what still goes on, but not for ever, and then lets go of the connections. */
export async function closeLine({ link, work }: Line, ended: Promise<unknown>): Promise<void> {
  const quiet = ended.then(() => Promise.all(work));
  await Promise.race([quiet, new Promise((resolve) => setTimeout(resolve, closePatience).unref())]);
  await link.wire.close();
}

export function openLine(options: HttpUpstreamOptions): Line {
  const work = new Set<Promise<unknown>>();
  return { link: createLink(options, work), work };
}

function createLink(options: HttpUpstreamOptions, work: Set<Promise<unknown>>): Link {
  const { id: server, url, bearer, limits, log, notify, carrier = 'own' } = options;
  const failures = createFailures(server);
  let lastId = 0;
  let seen: 'up' | 'down' | null = null;
  return {
    ...{ server, bearer, log, failures, notify },
    wire: createWire({ url, connect: limits.connect, egress: options.egress, failures, carrier }),
    nextId: () => ++lastId,
    contact(now) {
      if (now.kind === seen) return;
      seen = now.kind;
      notify(now);
    },
    behind(promise) {
      const done = promise
        .catch((err: unknown) => log.warn({ server, err }, 'something broke behind a call'))
        .finally(() => work.delete(done));
      work.add(done);
    },
  };
}

/** Lists everything in the gateway's own session, and once more from the start when the server had forgotten it. */
async function live(link: Link, own: Slot, limits: Limits): Promise<Live | Refusal> {
  const first = await liveOnce(link, own, limits);
  return first === link.failures.gone ? liveOnce(link, own, limits) : first;
}

async function liveOnce(link: Link, own: Slot, limits: Limits): Promise<Live | Refusal> {
  const session = await own.open();
  if (isRefusal(session)) return session;
  const ask = (method: string, params: JsonObject): Promise<JsonObject | Refusal> =>
    askOnce(link, { method, params, session, limits, answerBytes: pageBytes });
  const gathered = await gatherLive(link, ask, session);
  if (gathered === link.failures.gone) own.drop(session);
  return gathered;
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
