import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLog } from '#gateway/adapters/telemetry/log.ts';
import { compose } from '#gateway/compose.ts';
import { configSchema } from '#gateway/core/config.ts';
import { serve } from './part.ts';

/** What the gateway is started with. */
export interface GatewayOrder {
  /** URLs by the names of the servers. */
  readonly servers: Readonly<Record<string, string>>;
  /** A folder; one that is not absolute is meant from the repository's own. */
  readonly policy: string;
  /** Where one call in `1 / ratio` is traced to. */
  readonly traces: { readonly endpoint: string; readonly ratio: number } | null;
}

/** The real gateway, all of it on: tokens, the policy that is asked for, budgets and caps, metrics, the audit file. */
const order = JSON.parse(process.argv[2] ?? '') as GatewayOrder;
const folder = await mkdtemp(join(tmpdir(), 'sekisho-bench-'));
// On a busy machine the calls of a fixed rate pile up: they should be late then, not refused.
const inflight = 10_000;
const config = configSchema.parse({
  version: 1,
  state: folder,
  listen: { port: 0 },
  admin: { port: 0 },
  identity: { development: true },
  egress: { private: ['127.0.0.1'] },
  servers: Object.fromEntries(
    Object.entries(order.servers).map(([id, url]) => [
      id,
      { tier: 'internal', url, limits: { inflight }, tools: { '*': { action: 'read' } } },
    ]),
  ),
  limits: { inflight },
  policy: { path: resolve(import.meta.dirname, '..', order.policy) },
  // Limited, so that what a limit costs is paid, but never reached.
  budgets: { run: { calls: 1_000_000_000, bytes: '4096GiB' } },
  telemetry: { traces: order.traces ?? {} },
});
const log = createLog({ level: 'warn' });
const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const gateway = await compose({ config, env: process.env, log, progress });
await gateway.settled;
for (const { id, up, note } of gateway.snapshots.states()) if (!up) throw new Error(`${id} is down: ${note}`);
if (!gateway.minting) throw new Error('no token can be minted');
const { token } = await gateway.minting({});
serve({ url: gateway.url, headers: { authorization: `Bearer ${token}` } }, async () => {
  await gateway.close();
  await rm(folder, { recursive: true, force: true });
});
