import { noAnswer } from '#gateway/core/exchange.ts';
import { ownCapabilities } from '#gateway/core/extensions.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import type { Live, Upstream } from '#gateway/ports.ts';
import { type SlotCall, sendIn } from './calls.ts';
import { createLifetime } from './lifetime.ts';
import type { LineOptions } from './line.ts';
import type { Link } from './link.ts';
import { gatherLive } from './live.ts';
import { askOnce } from './session.ts';
import { createSessions, type Keeping, usualKeeping } from './sessions.ts';
import { createSlot, type Slot } from './slot.ts';
import { taskless } from './taskless.ts';

export interface HttpUpstreamOptions extends LineOptions {
  /** The newest revision that is offered. */
  readonly revision: string;
  readonly keeping?: Partial<Keeping>;
  /** True when callers that cannot be asked in the middle of a call are asked all the same, by parking it. */
  readonly parks?: boolean;
}

export const pageBytes = 8 * 1024 * 1024;

export interface HttpUpstream extends Upstream {
  /** Ends its sessions, each when its last call is over. */
  retire(): Promise<void>;
}

/** A server behind streamable HTTP, spoken to as up to 2025-11-25: with sessions, and questions on its streams. */
export function createHttpUpstream(options: HttpUpstreamOptions, link: Link): HttpUpstream {
  const { revision, limits } = options;
  const keeping = { ...usualKeeping, ...options.keeping };
  const sessions = createSessions(link, { revision, limits, keeping, parks: options.parks ?? false });
  const own = createSlot(link, { revision, declared: ownCapabilities, limits });

  return {
    async send(call) {
      if (call.method.startsWith('tasks/')) return noAnswer(taskless);
      const life = createLifetime({ failures: link.failures, timeout: call.limits.timeout, signal: call.signal });
      const slot = life.over ?? sessions.enter(call);
      if (isRefusal(slot)) {
        life.end();
        return { kind: 'refusal', refusal: slot };
      }
      const sent: SlotCall = { link: link.as(call), call, slot, life, leave: once(() => sessions.leave(slot)) };
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
      await Promise.all([own.close(), sessions.close()]);
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
