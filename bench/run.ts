import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Part, pinned, startPart } from './part.ts';
import { handshake, measure, middle, plans, type Row, type Sample, warm } from './rounds.ts';
import { table } from './table.ts';

const help = `npm run bench -- [--quick] [--traces] [--profile FOLDER] [--at-least RATIO]

Measures the gateway beside a bare node:http + undici proxy, in one run on this machine, and prints ratios.

  --quick            fewer and shorter rounds (about 50 seconds)
  --traces           also traces one call in ten, to a collector of the benchmark's own
  --profile FOLDER   writes a CPU profile of the gateway there
  --at-least RATIO   the calls per second, as a share of the bare proxy's, below which it ends with 1 (0.5)

Ends with 1 when the share is smaller, or when any answer is not the one that was asked for.`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    quick: { type: 'boolean', default: false },
    traces: { type: 'boolean', default: false },
    'at-least': { type: 'string', default: '0.5' },
    profile: { type: 'string' },
  },
});

interface Ready {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly prefix: string;
}

const pin = pinned(availableParallelism());
const plan = values.quick ? plans.quick : plans.full;
const parts: Part<unknown>[] = [];

const start = async <R>(...order: Parameters<typeof startPart<R>>): Promise<Part<R>> => {
  const part = await startPart<R>(...order);
  parts.push(part);
  return part;
};

async function row(name: string, part: Part<Ready>): Promise<Row> {
  const { url, headers, prefix } = part.ready;
  return { name, part, target: await handshake(url, headers, prefix), samples: [] };
}

async function bench(): Promise<boolean> {
  const upstream = await start<{ readonly url: string }>({ file: 'upstream.ts', core: 'rest', pin });
  const to = upstream.ready.url;
  const collector = values.traces
    ? await start<{ readonly url: string }>({ file: 'collector.ts', core: 'rest', pin })
    : null;
  const loader = await start({ file: 'load.ts', core: 'rest', pin });
  const bare = await start<Ready>({ file: 'bare-proxy.ts', core: 'proxy', pin, args: [to] });
  const flags = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : [];
  const args = [to, collector?.ready.url ?? ''];
  const gateway = await start<Ready>({ file: 'gateway.ts', core: 'proxy', pin, args, flags });

  const direct: Row = { name: 'direct', part: upstream, target: await handshake(to, {}, ''), samples: [] };
  const proxies = [await row('bare node:http + undici', bare), await row('sekisho', gateway)];
  const rows = [direct, ...proxies];
  for (const each of rows) await warm(loader, each, plan.warmup);
  for (let round = 1; round <= plan.rounds; round++) {
    process.stderr.write(`round ${round} of ${plan.rounds} …\n`);
    for (const each of rows) await measure(loader, each, plan);
  }
  return report(direct, proxies, collector !== null);
}

async function report(direct: Row, proxies: readonly Row[], traced: boolean): Promise<boolean> {
  const [bare] = proxies;
  if (!bare) throw new Error('nothing to compare with');
  const added = (of: Row, member: 'p50' | 'p99'): number => middle(of, member) - middle(direct, member);
  const heads = [
    '',
    'calls/s',
    'ratio',
    'CPU µs/call',
    'ratio',
    'added p50 µs',
    'added p99 µs',
    'RSS MiB',
    'core busy',
  ];
  const lines = proxies.map((of) => [
    of.name,
    middle(of, 'perSecond').toFixed(0),
    (middle(of, 'perSecond') / middle(bare, 'perSecond')).toFixed(2),
    middle(of, 'cpu').toFixed(1),
    (middle(of, 'cpu') / middle(bare, 'cpu')).toFixed(2),
    added(of, 'p50').toFixed(0),
    added(of, 'p99').toFixed(0),
    (middle(of, 'rss') / 1024 ** 2).toFixed(0),
    `${(middle(of, 'busy') * 100).toFixed(0)} %`,
  ]);
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`;
  const how = `${pin ? 'the proxy alone on core 1' : 'not pinned'}, traces ${traced ? '10 %' : 'off'}`;
  const slowest = middle(direct, 'perSecond').toFixed(0);
  process.stdout.write(`\n${machine}; ${how}; ${plan.rounds} rounds, medians; direct: ${slowest} calls/s\n`);
  process.stdout.write(`${table(heads, lines)}\n`);
  // On a shared machine others take more of the core from the faster proxy. CPU time does not flatter anyone.
  const share = (of: Row): number =>
    Math.min(middle(of, 'perSecond') / middle(bare, 'perSecond'), middle(bare, 'cpu') / middle(of, 'cpu'));
  const ratio = Math.min(...proxies.map(share));
  await keep({ machine, pinned: pin, traced, plan, rows: [direct, ...proxies], ratio });
  const enough = ratio >= Number(values['at-least']);
  process.stdout.write(
    `\nsekisho does ${ratio.toFixed(2)} of the bare proxy's calls per second (at least ${values['at-least']}: ${enough ? 'yes' : 'NO'}).\n`,
  );
  return enough;
}

async function keep(run: Record<string, unknown> & { readonly rows: readonly Row[] }): Promise<void> {
  const folder = join(import.meta.dirname, 'results');
  await mkdir(folder, { recursive: true });
  const samples = run.rows.map(({ name, samples: of }): { name: string; samples: Sample[] } => ({ name, samples: of }));
  const at = new Date().toISOString();
  const text = JSON.stringify({ at, ...run, rows: samples }, null, 2);
  await writeFile(join(folder, `${at.replaceAll(':', '-').slice(0, 19)}.json`), `${text}\n`);
}

if (values.help) process.stdout.write(`${help}\n`);
else {
  try {
    process.exitCode = (await bench()) ? 0 : 1;
  } catch (fault) {
    process.stderr.write(`the benchmark failed: ${String(fault)}\n`);
    process.exitCode = 1;
  } finally {
    for (const part of parts.reverse()) await part.stop();
  }
}
