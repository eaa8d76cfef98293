import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Snapshot, Target } from '#gateway/core/snapshot.ts';
import type { Lookout } from '#gateway/ports/trust.ts';

export interface LookoutParts {
  readonly current: () => Snapshot;
  /** Asks a server what it serves; resolves when the snapshot shows it. */
  readonly refresh: (server: string) => Promise<void>;
  /** When the server last said what it serves, on the clock. */
  readonly looked: (server: string) => number;
  /** Milliseconds that this may be ago. */
  readonly mostAge: (server: string) => number;
  /** Milliseconds; only ever goes on. */
  readonly clock: () => number;
}

/** Calls of one server that wait for a look at it: what comes beyond is refused, so that a server that hangs collects no more. */
const mostWaiting = 64;

interface Look {
  readonly began: number;
  readonly done: Promise<void>;
}

/** Looks at a server again before a call, where that was too long ago. However many calls wait, it is asked once. */
export function createLookout({ current, refresh, looked, mostAge, clock }: LookoutParts): Lookout {
  const looks = new Map<string, Look>();
  const waiting = new Map<string, number>();

  /** One that is under way, if it began lately enough. */
  function lookAt(server: string): Look {
    const underway = looks.get(server);
    if (underway && clock() - underway.began <= mostAge(server)) return underway;
    const look: Look = { began: clock(), done: refresh(server).finally(() => forget(server, look)) };
    looks.set(server, look);
    return look;
  }

  function forget(server: string, look: Look): void {
    if (looks.get(server) === look) looks.delete(server);
  }

  function count(server: string, by: 1 | -1): void {
    const now = (waiting.get(server) ?? 0) + by;
    if (now > 0) waiting.set(server, now);
    else waiting.delete(server);
  }

  async function after({ done, began }: Look, target: Target): Promise<Refusal | null> {
    const { id, limits } = target.server;
    count(id, 1);
    await inTime(done, limits.timeout).finally(() => count(id, -1));
    // It was asked and did not say, or not in time: nobody knows what the tool is by now.
    return looked(id) < began ? unseen(id) : changedSince(target, current());
  }

  return {
    changed(target) {
      const { id } = target.server;
      if (clock() - looked(id) <= mostAge(id)) return null;
      if ((waiting.get(id) ?? 0) >= mostWaiting) return Promise.resolve(busy(id));
      return after(lookAt(id), target);
    },
  };
}

async function inTime(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** The call goes on with the snapshot that it began with, if its tool is the same in the one that there is now. */
function changedSince(target: Target, now: Snapshot): Refusal | null {
  const { server, name } = target;
  const found = now.byServer.get(server.id)?.tools.get(name);
  if (found?.closed) return found.closed;
  if (found?.digest === target.digest) return null;
  const what = `The tool "${name}" of server "${server.id}" is another one since this call began.`;
  return refuse('manifest_changed', `${what} List the tools again.`, { tool: name, state: 'changed' });
}

const unseen = (server: string): Refusal =>
  refuse(
    'upstream_unreachable',
    `Server "${server}" did not say what it serves, which a call that may change something needs.`,
  );

const busy = (server: string): Refusal =>
  refuse('rate_limited', `Too many calls wait for server "${server}" to say what it serves. Try again in a second.`, {
    server,
    limit: mostWaiting,
    retry_after_s: 1,
  });
