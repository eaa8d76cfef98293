import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLog } from '#gateway/adapters/telemetry/log.ts';
import { compose } from '#gateway/compose.ts';
import { configSchema } from '#gateway/core/config.ts';
import { serve } from './part.ts';

/**
 * The real gateway, all of it on: tokens, the shipped policy, budgets and caps, metrics, the audit file. Traces too, when
 * the second argument names a collector.
 */
const [upstream = '', collector = ''] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'sekisho-bench-'));
const config = configSchema.parse({
  version: 1,
  state: folder,
  listen: { port: 0 },
  admin: { port: 0 },
  identity: { development: true },
  egress: { private: ['127.0.0.1'] },
  servers: {
    // On a busy machine the calls of a fixed rate pile up: they should be late then, not refused.
    bench: { tier: 'internal', url: upstream, limits: { inflight: 2_000 }, tools: { '*': { action: 'read' } } },
  },
  policy: { path: resolve(import.meta.dirname, '..', 'policies') },
  // Limited, so that what a limit costs is paid, but never reached.
  budgets: { run: { calls: 1_000_000_000, bytes: '4096GiB' } },
  telemetry: { traces: collector === '' ? {} : { endpoint: collector, ratio: 0.1 } },
});
const log = createLog({ level: 'warn' });
const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const gateway = await compose({ config, env: process.env, log, progress });
await gateway.settled;
for (const { id, up, note } of gateway.snapshots.states()) if (!up) throw new Error(`${id} is down: ${note}`);
if (!gateway.minting) throw new Error('no token can be minted');
const { token } = await gateway.minting({});
const authorization = `Bearer ${token}`;
serve({ url: gateway.url, headers: { authorization }, prefix: 'bench__' }, async () => {
  await gateway.close();
  await rm(folder, { recursive: true, force: true });
});
