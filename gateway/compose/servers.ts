import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Egress } from '#gateway/adapters/egress/egress.ts';
import { createUpstream } from '#gateway/adapters/upstream/either.ts';
import { createReaper } from '#gateway/adapters/upstream/reaper.ts';
import { createStdioUpstream } from '#gateway/adapters/upstream/stdio.ts';
import { usualParking } from '#gateway/adapters/upstream/waiting-calls.ts';
import type { Carrier } from '#gateway/adapters/upstream/wire.ts';
import { limitsOf } from '#gateway/core/build-snapshot.ts';
import type { Caller } from '#gateway/core/caller-assertion.ts';
import type { Config, ServerConfig } from '#gateway/core/config.ts';
import { isModern, legacyRevisions } from '#gateway/core/exchange.ts';
import { refuse } from '#gateway/core/refusals.ts';
import type { Log, Upstream, UpstreamNotice, Upstreams } from '#gateway/ports.ts';
import { type Credentials, openCredentials } from './credentials.ts';

export interface Servers {
  readonly byId: ReadonlyMap<string, Upstream>;
  readonly upstreams: Upstreams;
  /** Where callers have credentials of their own: the server as somebody sees it who is not the gateway. */
  readonly asCaller: ReadonlyMap<string, Pick<Upstream, 'live'>>;
  readonly baseOf: (config: ServerConfig) => string;
  /** Who hears what servers tell. */
  listen(hear: (server: string, notice: UpstreamNotice) => void): void;
  close(): Promise<void>;
}

/** The network end of every configured server, behind one port. */
export async function createServers(
  config: Config,
  egress: Egress,
  { log, carrier }: { readonly log: Log; readonly carrier: Carrier },
): Promise<Servers> {
  let hear: (server: string, notice: UpstreamNotice) => void = () => undefined;
  const reaper = createReaper({ log });
  const byId = new Map<string, Upstream>();
  const asCaller = new Map<string, Upstream>();
  for (const [id, server] of Object.entries(config.servers)) {
    await Promise.all(Object.values(server.roots).map((root) => mkdir(root, { recursive: true })));
    const credentials = await openCredentials(id, server, { egress, log, url: config.url });
    byId.set(id, upstreamOf(id, server, credentials));
    // Nobody in particular, and another one after each start: a server must not know whom it is looked at by.
    const stranger = credentials.of?.(nobody());
    if (stranger)
      asCaller.set(
        id,
        upstreamOf(id, server, { own: stranger }, () => undefined),
      );
  }
  return {
    byId,
    upstreams: {
      send: (call) =>
        byId.get(call.server)?.send(call) ??
        Promise.resolve({
          kind: 'refusal',
          refusal: refuse('upstream_unreachable', `There is no server "${call.server}".`),
        }),
    },
    asCaller,
    baseOf,
    listen(listener) {
      hear = listener;
    },
    async close() {
      await Promise.all([...byId.values(), ...asCaller.values()].map((upstream) => upstream.close()));
      await reaper.close();
    },
  };

  function upstreamOf(
    id: string,
    server: ServerConfig,
    credentials: Credentials,
    notify = (notice: UpstreamNotice): void => hear(id, notice),
  ): Upstream {
    if (server.command) {
      return createStdioUpstream({
        id,
        command: server.command,
        env: server.env,
        cwd: baseOf(server),
        log,
        notify,
        reaper,
      });
    }
    const pinned = server.revision ?? null;
    return createUpstream({
      id,
      url: server.url ?? '',
      credential: credentials.own,
      credentialOf: credentials.of,
      revision: pinned !== null && !isModern(pinned) ? pinned : legacyRevisions[0],
      parking: server.elicitation === 'park' ? usualParking : null,
      pinned: pinned === null ? null : isModern(pinned) ? 'modern' : 'legacy',
      limits: limitsOf(server, config.tiers[server.tier]),
      egress,
      log,
      notify,
      carrier,
    });
  }
}

/**
 * Where relative paths start for this server: the directory it runs in. Of a server behind a URL nobody knows, so its
 * relative paths lie outside every root.
 */
const baseOf = (server: ServerConfig): string => server.cwd ?? '/';

function nobody(): Caller {
  const run = randomUUID();
  return { principal: `run:${run}`, run };
}
