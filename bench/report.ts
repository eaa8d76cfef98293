import { availableParallelism, cpus } from 'node:os';
import { middle, type Rate, type Row, rates } from './rounds.ts';
import { median, table } from './table.ts';

export const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`;

const perSecond = (row: Row): number => middle(row, (sample) => sample.perSecond);
const cpu = (row: Row): number => middle(row, (sample) => sample.cpu);

/**
 * How much of the row beside it a row does: the smaller of calls per second and of CPU per call. On a shared machine others
 * take more of the core from the faster proxy; CPU time does not flatter anyone. Null where one of the two was not measured.
 */
export function share(rows: readonly Row[], id: string): number | null {
  const row = rows.find(({ plan }) => plan.id === id);
  const beside = row && besideOf(rows, row);
  return beside ? Math.min(perSecond(row) / perSecond(beside), cpu(beside) / cpu(row)) : null;
}

const besideOf = (rows: readonly Row[], { plan }: Row): Row | undefined =>
  rows.find(({ plan: { id } }) => id === plan.beside);

const heads = [
  ...['', 'beside', 'calls/s', 'ratio', 'CPU µs/call', 'ratio', 'KB allocated/call', 'ratio', 'added p50 µs', 'ratio'],
  ...rates.map((rate) => `added p99 µs, ${rate === 'half' ? 'half its most' : `${rate.toLocaleString('en')}/s`}`),
  ...['RSS MiB idle', 'loaded', 'core busy'],
];

const tail = ({ tails }: Row, rate: Rate): number => median(tails.get(rate) ?? []);

/** What was measured, as a table of medians. */
export function report(
  rows: readonly Row[],
  { pin, rounds }: { readonly pin: boolean; readonly rounds: number },
): string {
  const direct = rows.find(({ plan }) => plan.id === 'direct');
  if (!direct) throw new Error('nothing to add to');
  const p50 = (row: Row): number => middle(row, (sample) => sample.p50) - middle(direct, (sample) => sample.p50);
  // Half of what a proxy does is another rate than half of what the server does: it is added to the nearest one below.
  const p99 = (row: Row, rate: Rate): number => tail(row, rate) - tail(direct, rate === 'half' ? 5_000 : rate);
  const allocated = (row: Row): number => middle(row, (sample) => sample.allocated) / 1024;
  const lines = rows.map((row) => {
    const beside = besideOf(rows, row);
    const ratio = (of: (one: Row) => number): string => (beside ? figure(of(row) / of(beside), 2) : '');
    const added = row === direct ? () => '' : figure;
    return [
      row.plan.name,
      beside?.plan.id ?? '',
      figure(perSecond(row), 0),
      ratio(perSecond),
      figure(cpu(row), 1),
      ratio(cpu),
      figure(allocated(row), 1),
      ratio(allocated),
      added(p50(row), 0),
      ratio(p50),
      ...rates.map((rate) => added(p99(row, rate), 0)),
      figure(row.rssIdle / 1024 ** 2, 0),
      figure(middle(row, (sample) => sample.rss) / 1024 ** 2, 0),
      `${figure(middle(row, (sample) => sample.busy) * 100, 0)} %`,
    ];
  });
  const how = pin ? 'each proxy alone on core 1' : 'not pinned';
  return `${machine}; ${how}; ${rounds} rounds, medians\n${table(heads, lines)}`;
}

const figure = (value: number, digits: number): string => (Number.isNaN(value) ? '' : value.toFixed(digits));
