import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Part, pinned, startPart } from './part.ts';
import type { Answering } from './program.ts';
import { machine, report, share } from './report.ts';
import { measure, pace, plans, prepared, type Row, warm } from './rounds.ts';
import { type Ends, rowPlans, starts, type Through } from './rows.ts';

const help = `npm run bench -- [--rows ROW,…] [--quick] [--profile FOLDER] [--at-least RATIO]

Measures the gateway beside a bare node:http + undici proxy, in one run on this machine, and prints ratios.
All rows take about nine minutes; --rows bare,sekisho takes two, and with --quick half a minute.

  --rows ROW,…       only these: ${rowPlans.map(({ id }) => id).join(' ')}
                     (supergateway and mcp-proxy only when named: they are installed from npm then)
  --quick            fewer and shorter rounds
  --profile FOLDER   writes CPU profiles of the gateways there
  --at-least RATIO   sekisho's share of the bare proxy, below which it ends with 1 (0.5)

Ends with 1 when the share is smaller, or when any answer is not the one that was asked for.`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    quick: { type: 'boolean', default: false },
    rows: { type: 'string' },
    'at-least': { type: 'string', default: '0.5' },
    profile: { type: 'string' },
  },
});

const pin = pinned(availableParallelism());
const plan = values.quick ? plans.quick : plans.full;
const parts: Part<unknown>[] = [];
const kept = <P extends Part<unknown> | null>(part: P): P => {
  if (part) parts.push(part);
  return part;
};
const rest = async (file: string, ...args: string[]): Promise<Part<Answering>> =>
  kept(await startPart<Answering>({ file, core: 'rest', pin, args }));

function chosen(): typeof rowPlans {
  if (values.rows === undefined) return rowPlans.filter(({ seldom }) => !seldom);
  const ids = values.rows.split(',');
  const unknown = ids.find((id) => !rowPlans.some((row) => row.id === id));
  if (unknown !== undefined) throw new Error(`there is no row "${unknown}" (npm run bench -- --help names them)`);
  const beside = rowPlans.flatMap((row) => (ids.includes(row.id) && row.beside ? [row.beside] : []));
  // Latencies are added to direct ones, and shares need their whole.
  return rowPlans.filter(({ id }) => id === 'direct' || ids.includes(id) || beside.includes(id));
}

async function bench(): Promise<boolean> {
  const plans = chosen();
  const [direct, modern, collector] = [
    await rest('upstream.ts', 'legacy'),
    await rest('upstream.ts', 'modern'),
    await rest('collector.ts'),
  ];
  const loader = await rest('load.ts');
  const flags = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : [];
  const ends: Ends = {
    ...{ legacy: direct.ready.url, modern: modern.ready.url, collector: collector.ready.url },
    ...{ pin, flags },
  };
  const running = new Map<Through, Part<Answering> | null>([['direct', direct]]);
  const rows: Row[] = [];
  for (const row of plans) {
    if (!running.has(row.through)) running.set(row.through, kept(await starts[row.through](ends)));
    const part = running.get(row.through);
    if (part) rows.push(await prepared(row, part, part.ready));
    else process.stderr.write(`${row.name}: not installed, left out\n`);
  }
  for (const row of rows) await warm(loader, row, plan.warmup);
  for (let round = 1; round <= plan.rounds; round++) {
    for (const [n, row] of rows.entries()) {
      process.stderr.write(
        `round ${round} of ${plan.rounds}, row ${n + 1} of ${rows.length}: ${row.plan.name.trim()}\n`,
      );
      await measure(loader, row, plan);
    }
  }
  for (let round = 1; round <= plan.rounds; round++) {
    process.stderr.write(`tails, round ${round} of ${plan.rounds} …\n`);
    for (const row of rows) await pace(loader, row, plan);
  }
  process.stdout.write(`\n${report(rows, { pin, rounds: plan.rounds })}\n`);
  const ratio = share(rows, 'sekisho');
  await keep({ at: new Date().toISOString(), machine, pinned: pin, plan, ratio }, rows);
  if (ratio === null) return true;
  const enough = ratio >= Number(values['at-least']);
  const verdict = `at least ${values['at-least']}: ${enough ? 'yes' : 'NO'}`;
  process.stdout.write(`\nsekisho does ${ratio.toFixed(2)} of the bare proxy's calls per second (${verdict}).\n`);
  return enough;
}

async function keep(run: { readonly at: string } & Record<string, unknown>, rows: readonly Row[]): Promise<void> {
  const folder = join(import.meta.dirname, 'results');
  await mkdir(folder, { recursive: true });
  const measured = rows.map(({ plan, rssIdle, samples, tails }) => ({
    ...plan,
    ...{ rssIdle, samples, tails: Object.fromEntries(tails) },
  }));
  const text = JSON.stringify({ ...run, rows: measured }, null, 2);
  await writeFile(join(folder, `${run.at.replaceAll(':', '-').slice(0, 19)}.json`), `${text}\n`);
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
