import { Command, InvalidArgumentError } from 'commander';
import type { Minted, MintRequest } from '#gateway/adapters/control/api.ts';
import { parseDuration } from '#gateway/core/units.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { print, remark, type Shell } from './shell.ts';

/** Signs a token without a gateway: the step of a platform that has its own key. */
export type SignToken = (order: {
  readonly keyFile: string;
  readonly issuer: string;
  readonly audience: string;
  readonly wish: MintRequest;
  readonly now: number;
}) => Promise<Minted>;

interface Options extends Where {
  readonly subject?: string;
  readonly run?: string;
  readonly agent?: string;
  readonly group?: string[];
  readonly ttl?: number;
  readonly tool?: string[];
  readonly tier?: string[];
  readonly calls?: number;
  readonly key?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly json?: boolean;
}

/** `sekisho token`: a run token, from the running gateway or from a key of one's own. */
export function tokenCommand(shell: Shell, sign: SignToken): Command {
  const command = new Command('token')
    .description('print a new run token')
    .option('--subject <name>', 'on whose behalf the agent acts (default: the run itself)')
    .option('--run <id>', 'the run it is for (default: a new one)')
    .option('--agent <id>', 'which agent')
    .option('--group <name...>', 'groups of the subject')
    .option('--ttl <duration>', 'how long it is good: 15m at most', seconds)
    .option('--tool <name...>', 'only these tools: files.* or files.read_file')
    .option('--tier <name...>', 'only servers of these tiers')
    .option('--calls <number>', 'so many calls at most', count)
    .option('--key <file>', 'sign with this key instead of asking the gateway; needs --issuer and --audience')
    .option('--issuer <text>', 'who signs, as the config of the gateway names it')
    .option('--audience <url>', 'the URL of the gateway')
    .option('--json', 'print token, run and expiry as one JSON object');
  return socketOptions(command).action(async (options: Options) => {
    const made = options.key === undefined ? await ask(shell, options) : await offline(shell, options, sign);
    print(shell, options.json, made, () => made.token);
    if (!options.json) remark(shell, `run ${made.run}, good until ${new Date(made.expires).toISOString()}`);
  });
}

const ask = (shell: Shell, options: Options): Promise<Minted> =>
  withGateway(shell, options, async (gateway) => granted(await gateway.mint(wishOf(options))));

async function offline(shell: Shell, options: Options, sign: SignToken): Promise<Minted> {
  const { key, issuer, audience } = options;
  if (key === undefined || issuer === undefined || audience === undefined) {
    throw new Failure('usage', 'A token that is signed with --key needs --issuer and --audience.');
  }
  try {
    return await sign({ keyFile: key, issuer, audience, wish: wishOf(options), now: shell.now() });
  } catch (error) {
    throw new Failure('usage', error instanceof Error ? error.message : String(error));
  }
}

function wishOf({ subject, run, agent, group, ttl, tool, tier, calls }: Options): MintRequest {
  return { subject, run, agent, groups: group, ttl, tools: tool, tiers: tier, calls };
}

function seconds(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === null || milliseconds < 1000) throw new InvalidArgumentError('Write 30s or 15m.');
  return Math.floor(milliseconds / 1000);
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}
