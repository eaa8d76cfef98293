import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { GatewayOrder } from './gateway.ts';
import { usualTools } from './message.ts';
import { type Part, pinned, startPart } from './part.ts';
import type { Answering } from './program.ts';
import { machine } from './report.ts';
import { load, prepared, type Row, session, warm } from './rounds.ts';
import { rowPlans } from './rows.ts';
import { median, table } from './table.ts';

const help = `npm run bench:growth [-- --rounds N]

What a call costs as the gateway has more to do: more servers, tools, open sessions, rules as data. CPU time per call
beside that of a small gateway, in one run; and how long a list of 10,000 tools takes. About three minutes.

Ends with 1 where a call costs more than 1.25 of what it does at the small one.

  --rounds N   (4)`;

const { values } = parseArgs({
  options: { help: { type: 'boolean', short: 'h', default: false }, rounds: { type: 'string', default: '4' } },
});

const mostShare = 1.25;
const sessions = 10_000;
const rules = 1_000;
const policies = join(import.meta.dirname, '..', 'policies');

/** What is larger than usual. */
interface Size {
  readonly name: string;
  readonly servers?: number;
  /** Of each of its servers: a server may list 512 at most. */
  readonly tools?: number;
  readonly sessions?: number;
  readonly rules?: number;
}

const sizes: readonly Size[] = [
  { name: '1 server, 30 tools' },
  { name: '100 servers', servers: 100, tools: 5 },
  { name: '1,000 servers', servers: 1_000, tools: 5 },
  { name: '1,000 tools', servers: 2, tools: 500 },
  { name: '10,000 tools', servers: 20, tools: 500 },
  { name: `${sessions.toLocaleString('en')} sessions`, sessions },
  { name: `${rules.toLocaleString('en')} rules as data`, rules },
];

interface Sized extends Row {
  readonly size: Size;
  readonly costs: number[];
  /** Milliseconds of the first list of tools, and of one again. */
  readonly lists: readonly [number, number];
}

async function growth(parts: Part<unknown>[], scratch: string): Promise<boolean> {
  const pin = pinned(availableParallelism());
  const start = async <R>(...order: Parameters<typeof startPart<R>>): Promise<Part<R>> => {
    const part = await startPart<R>(...order);
    parts.push(part);
    return part;
  };
  const loader = await start({ file: 'load.ts', core: 'rest', pin });
  const [plan] = rowPlans.filter(({ id }) => id === 'sekisho');
  if (!plan) throw new Error('no row to grow');
  const rows: Sized[] = [];
  for (const size of sizes) {
    process.stderr.write(`starting: ${size.name} …\n`);
    const tools = String(size.tools ?? usualTools);
    const { ready } = await start<Answering>({ file: 'upstream.ts', core: 'rest', pin, args: ['legacy', tools] });
    const names = ['old', ...Array.from({ length: (size.servers ?? 1) - 1 }, (_, n) => `more${n}`)];
    const order: GatewayOrder = {
      servers: Object.fromEntries(names.map((name) => [name, ready.url])),
      policy: size.rules ? await withRules(size.rules, join(scratch, 'policies')) : policies,
      traces: null,
    };
    const part = await start<Answering>({ file: 'gateway.ts', core: 'proxy', pin, args: [JSON.stringify(order)] });
    const row = await prepared(plan, part, part.ready);
    for (let n = 1; n < (size.sessions ?? 0); n++) await session(part.ready.url, part.ready.headers);
    const lists = [await listing(row), median([await listing(row), await listing(row), await listing(row)])] as const;
    await warm(loader, row, 3);
    rows.push({ ...row, size, costs: [], lists });
  }
  for (let round = 1; round <= Number(values.rounds); round++) {
    process.stderr.write(`round ${round} of ${values.rounds} …\n`);
    for (const { part, target, costs } of rows) {
      const before = await part.usage();
      const { calls } = await load(loader, target, { connections: 32, seconds: 2, rate: null });
      costs.push(((await part.usage()).cpu - before.cpu) / calls);
    }
  }
  const small = rows[0];
  const shares = rows.map(({ costs }) => median(costs) / median(small?.costs ?? []));
  const lines = rows.map(({ size, costs, lists: [cold, again] }, n) => [
    ...[size.name, median(costs).toFixed(1), (shares[n] ?? 0).toFixed(2), cold.toFixed(1), again.toFixed(1)],
  ]);
  const heads = ['', 'CPU µs/call', 'ratio', 'first list ms', 'again ms'];
  process.stdout.write(`${machine}; ${values.rounds} rounds, medians\n${table(heads, lines)}\n`);
  return shares.every((share) => share <= mostShare);
}

/** The shipped pack with so many grants, of which the first ones fit nobody. */
async function withRules(count: number, folder: string): Promise<string> {
  await cp(policies, folder, { recursive: true });
  const file = join(folder, 'data.json');
  const data = JSON.parse(await readFile(file, 'utf8')) as { grants: Record<string, { principals: string[] }> };
  const [, row] = Object.entries(data.grants)[0] ?? [];
  const others = Array.from({ length: count }, (_, n) => [`a-${n}`, { ...row, principals: [`user:${n}`], groups: [] }]);
  await writeFile(file, JSON.stringify({ ...data, grants: { ...Object.fromEntries(others), ...data.grants } }));
  return folder;
}

async function listing({ target }: Row): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
  const headers = {
    ...target.headers,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const began = performance.now();
  const response = await fetch(target.url, { method: 'POST', headers, body });
  const text = await response.text();
  if (!text.includes(`"${target.tool}"`)) throw new Error(`no list of tools: ${text.slice(0, 300)}`);
  return performance.now() - began;
}

if (values.help) process.stdout.write(`${help}\n`);
else {
  const parts: Part<unknown>[] = [];
  const scratch = await mkdtemp(join(tmpdir(), 'sekisho-growth-'));
  try {
    const flat = await growth(parts, scratch);
    process.stdout.write(flat ? '1 passed, 0 failed\n' : '0 passed, 1 failed\n');
    process.exitCode = flat ? 0 : 1;
  } catch (fault) {
    process.stderr.write(`the benchmark failed: ${String(fault)}\n`);
    process.exitCode = 1;
  } finally {
    for (const part of parts.reverse()) await part.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}
