import { Command, InvalidArgumentError } from 'commander';
import { isConfigErrors } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import type { Definitions } from '#gateway/core/manifest.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { configFile, socketOptions, type Where } from './locate.ts';
import { print, remark, type Shell } from './shell.ts';
import { failureOf } from './validate.ts';

/** The work of signing and verifying, which is not the command line's. */
export interface Signing {
  sign(order: {
    readonly server: string;
    readonly url: string | null;
    readonly definitions: Definitions;
    readonly keyFile: string;
    readonly out: string;
    readonly seq?: number | null;
    /** Seconds. */
    readonly ttl: number;
    readonly now: number;
  }): Promise<{ readonly path: string; readonly seq: number; readonly tools: number }>;
  verify(question: {
    readonly file: string;
    readonly keys: string;
    readonly server: string;
    readonly url?: string | null;
    readonly now: number;
  }): Promise<{ readonly status: string; readonly why?: string }>;
}

interface SignOptions extends Where {
  readonly key: string;
  readonly out?: string;
  readonly seq?: number;
  readonly ttl: number;
  readonly json?: boolean;
}

const day = 86_400;

/** `sekisho servers sign ID --key FILE`: a signed manifest of what the server serves now. */
export function signCommand(shell: Shell, { sign }: Signing): Command {
  return socketOptions(new Command('sign').description('sign what a server serves now'))
    .argument('<id>', 'the server')
    .requiredOption('--key <file>', 'the private key to sign with (sekisho keygen)')
    .option('--out <file>', 'where the manifest goes (default: ID.manifest.json)')
    .option('--seq <number>', 'its number (default: one more than before)', count)
    .option('--ttl <days>', 'how many days it is good for', days, 90 * day)
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: SignOptions) => {
      const { url, definitions } = await withGateway(shell, options, async (gateway) =>
        granted(await gateway.servers.definitions(id)),
      );
      const { key: keyFile, out = `${id}.manifest.json`, seq = null, ttl } = options;
      const order = { server: id, url, definitions, keyFile, out, seq, ttl, now: shell.now() };
      const made = await sign(order).catch((error: unknown) => {
        throw new Failure('conflict', error instanceof Error ? error.message : String(error));
      });
      print(shell, options.json, made, () => `signed ${made.tools} tools of ${id} as number ${made.seq}: ${made.path}`);
      remark(shell, `Name it in the config: servers.${id}.manifest: { file: ${made.path}, keys: ${keyFile}.pub }`);
    });
}

interface VerifyOptions {
  readonly config?: string;
  readonly file?: string;
  readonly keys?: string;
  readonly json?: boolean;
}

/** `sekisho servers verify ID`: whether its manifest is good. Exit code 1 when it is not. */
export function verifyCommand(shell: Shell, { verify }: Signing): Command {
  return new Command('verify')
    .description('check the signed manifest of a server, as the gateway would')
    .argument('<id>', 'the server')
    .option('-c, --config <file>', 'the config that names manifest and keys (default: config/gateway.yaml)')
    .option('--file <file>', 'the manifest, instead of the one in the config')
    .option('--keys <file>', 'the keys, instead of those in the config')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: VerifyOptions) => {
      const { file, ...found } = await manifestOf(shell, id, options);
      const { status, why } = await verify({ file, ...found, server: id, now: shell.now() });
      const good = status === 'verified';
      print(shell, options.json, { server: id, file, status, why: why ?? null }, () => `${id}: ${status} (${file})`);
      if (!good) throw new Failure('found', `The manifest of ${id} is not good: ${why ?? status}.`);
    });
}

async function manifestOf(
  shell: Shell,
  id: string,
  { config, file, keys }: VerifyOptions,
): Promise<{ readonly file: string; readonly keys: string; readonly url?: string | null }> {
  // Without a config nobody knows where the server should stand.
  if (file !== undefined && keys !== undefined) return { file, keys };
  const loaded = await loadConfig(await configFile(shell, config), shell.env);
  if (isConfigErrors(loaded)) throw failureOf(loaded);
  const server = loaded.config.servers[id];
  if (!server) throw new Failure('usage', `There is no server "${id}" in ${loaded.file}.`);
  const found = { file: file ?? server.manifest.file, keys: keys ?? server.manifest.keys };
  if (found.file !== undefined && found.keys !== undefined) {
    return { file: found.file, keys: found.keys, url: server.url ?? null };
  }
  const how = `Name both under servers.${id}.manifest in ${loaded.file}, or give --file and --keys.`;
  throw new Failure('usage', `Server "${id}" has no manifest with keys.`, how);
}

function days(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('Write 1 to 999 days.');
  return Number(text) * day;
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}
