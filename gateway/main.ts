import { delimiter, dirname, relative } from 'node:path';
import { parseArgs } from 'node:util';
import closeWithGrace from 'close-with-grace';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import { type ControlServer, createControlServer } from '#gateway/adapters/control/server.ts';
import { createLog } from '#gateway/adapters/telemetry/log.ts';
import { controlApi, socketOf } from '#gateway/compose/control.ts';
import { compose, type Gateway } from '#gateway/compose.ts';
import { product } from '#gateway/core/product.ts';
import type { Log } from '#gateway/ports.ts';
import { StartRefused } from '#gateway/start-refused.ts';
import { type Summary, welcome } from '#gateway/welcome.ts';

/** Reads the environment, starts, stops. With cli/ the only code that touches process. */

export interface StartOptions {
  readonly config: string;
}

/** Milliseconds from the first signal to the end, whatever is still under way. */
const shutdownMs = 20_000;
const configInvalid = 3;

/**
 * Starts the gateway. It stays until a signal ends it; a second signal ends it at once.
 *
 * @throws StartRefused with what is wrong, where, and how to fix it.
 */
export async function start({ config: file }: StartOptions): Promise<void> {
  const loaded = await loadConfig(file, process.env);
  if (isConfigErrors(loaded)) throw new StartRefused(loaded.issues.map(showIssue).join('\n'));
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  for (const warning of loaded.warnings) progress(`warning: ${warning}`);
  const log = createLog({ level: levelOf(process.env.SEKISHO_LOG) });
  const { config } = loaded;
  // Servers that are programs for Node run on the Node that runs us, whatever the machine's own is.
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  process.env.PATH = path;
  const gateway = await compose({ config, env: process.env, log, progress });
  const control = await openControl(gateway, log);
  // A terminal that goes away takes us along; without one SIGHUP means what it means to every daemon.
  const daemon = !process.stdout.isTTY;
  if (daemon) process.on('SIGHUP', () => void gateway.policy.reload().catch(() => undefined)); // told by the log
  closeWithGrace({ delay: shutdownMs, skip: daemon ? ['SIGHUP'] : [] }, async ({ err }) => {
    if (err) log.error({ fault: err }, 'an uncaught fault ends the gateway');
    await control.close();
    await gateway.close();
  });
  await gateway.settled;
  process.stdout.write(welcome(summaryOf(gateway)));
}

/** A socket that cannot be had, most often because another gateway has it, ends the start. */
async function openControl(gateway: Gateway, log: Log): Promise<ControlServer> {
  try {
    return await createControlServer({ path: socketOf(gateway.config), api: controlApi(gateway), log });
  } catch (fault) {
    await gateway.close();
    throw new StartRefused(fault instanceof Error ? fault.message : String(fault));
  }
}

function levelOf(text: string | undefined): 'debug' | 'info' | 'warn' | 'error' | 'silent' {
  const known = ['debug', 'info', 'warn', 'error', 'silent'] as const;
  return known.find((level) => level === text) ?? 'warn';
}

function summaryOf({ url, adminUrl, config, snapshots, minting }: Gateway): Summary {
  const snapshot = snapshots.current();
  const usable = (id: string): number =>
    [...(snapshot.byServer.get(id)?.tools.values() ?? [])].filter((tool) => tool.closed === null).length;
  return {
    version: product.version,
    url,
    adminUrl,
    policy: { path: relative(process.cwd(), config.policy.path) || '.', revision: snapshot.policy.revision },
    servers: snapshots.states().map(({ id, up, note }) => {
      return { id, tier: config.servers[id]?.tier ?? '', up, tools: usable(id), note };
    }),
    development: minting !== null,
  };
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: { config: { type: 'string', short: 'c', default: 'config/gateway.yaml' } },
    });
    await start({ config: values.config });
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = configInvalid;
  }
}
