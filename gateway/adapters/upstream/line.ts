import type { Limits } from '#gateway/core/snapshot.ts';
import type { Credential, UpstreamNotice } from '#gateway/ports.ts';
import { createFailures } from './failures.ts';
import type { Link, UpstreamLog } from './link.ts';
import { type Carrier, createWire, type Egress } from './wire.ts';

export interface LineOptions {
  readonly id: string;
  readonly url: string;
  /** The gateway's own credential at this server. */
  readonly credential: Credential;
  readonly limits: Limits;
  readonly egress: Egress;
  readonly log: UpstreamLog;
  notify(notice: UpstreamNotice): void;
  readonly carrier?: Carrier;
}

/** What both eras of one server share: its connections, and the work behind its calls. */
export interface Line {
  readonly link: Link;
  readonly work: ReadonlySet<Promise<unknown>>;
}

const closePatience = 3_000;

/** Waits for what still goes on, but not for ever, and then lets go of the connections. */
export async function closeLine({ link, work }: Line, ended: Promise<unknown>): Promise<void> {
  const quiet = ended.then(() => Promise.all(work));
  await Promise.race([quiet, new Promise((resolve) => setTimeout(resolve, closePatience).unref())]);
  await link.wire.close();
}

export function openLine(options: LineOptions): Line {
  const work = new Set<Promise<unknown>>();
  return { link: createLink(options, work), work };
}

function createLink(options: LineOptions, work: Set<Promise<unknown>>): Link {
  const { id: server, url, credential, limits, log, notify, carrier = 'own' } = options;
  const failures = createFailures(server);
  let lastId = 0;
  let seen: 'up' | 'down' | null = null;
  return {
    ...{ server, credential, log, failures, notify },
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
