import type { Caller } from '#gateway/core/caller-assertion.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import type { Credential, UpstreamNotice } from '#gateway/ports.ts';
import { type Callers, createCallers } from './callers.ts';
import { createFailures, type Failures } from './failures.ts';
import type { Link, UpstreamLog } from './link.ts';
import { type Carrier, createWire, type Egress, type Wire } from './wire.ts';

export interface LineOptions {
  readonly id: string;
  readonly url: string;
  /** The gateway's own credential at this server. */
  readonly credential: Credential;
  /** What it says for a caller, where each has a credential of its own. */
  readonly credentialOf?: ((caller: Caller) => Credential) | undefined;
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
  readonly callers: Callers | null;
}

const closePatience = 3_000;

/** Waits for what still goes on, but not for ever, and then lets go of the connections. */
export async function closeLine({ link, work, callers }: Line, ended: Promise<unknown>): Promise<void> {
  const quiet = ended.then(() => Promise.all(work));
  await Promise.race([quiet, new Promise((resolve) => setTimeout(resolve, closePatience).unref())]);
  await Promise.all([link.wire.close(), callers?.close()]);
}

export function openLine(options: LineOptions): Line {
  const work = new Set<Promise<unknown>>();
  const { credentialOf } = options;
  const link = createLink(options, work, (caller) => callers?.of(caller) ?? link);
  const callers = credentialOf ? createCallers(link, () => wireOf(options, link.failures), credentialOf) : null;
  return { link, work, callers };
}

function wireOf({ url, limits, egress, carrier = 'own' }: LineOptions, failures: Failures): Wire {
  return createWire({ url, connect: limits.connect, egress, failures, carrier });
}

function createLink(options: LineOptions, work: Set<Promise<unknown>>, as: Link['as']): Link {
  const { id: server, credential, log, notify } = options;
  const failures = createFailures(server);
  let lastId = 0;
  let seen: 'up' | 'down' | null = null;
  return {
    ...{ server, credential, whose: 'gateway', as, log, failures, notify },
    wire: wireOf(options, failures),
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
