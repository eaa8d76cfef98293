import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Measured } from './load.ts';
import { type Part, pinned, startPart, type Usage } from './part.ts';
import type { Answering } from './program.ts';
import { machine } from './report.ts';
import { prepared } from './rounds.ts';
import { type Ends, rowPlans, starts } from './rows.ts';
import { Streams } from './streams.ts';
import { slope } from './table.ts';

const help = `npm run bench:soak -- [--minutes N] [--rate CALLS]

500 calls a second for twenty minutes, every answer checked, while streams open and close. Says each minute what the
gateway weighs. Ends with 1 when an answer was wrong, when memory grew by more than 1 MiB a minute after the first
quarter, or when handles (sockets, files, timers) became more by as many.

  --minutes N    (20)
  --rate CALLS   a second (500)`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    minutes: { type: 'string', default: '20' },
    rate: { type: 'string', default: '500' },
  },
});

/** Of the whole time, until code is compiled and caches are full. */
const warmShare = 0.25;
const mostGrowth = 1;
const pieceSeconds = 10;

async function soak(parts: Part<unknown>[]): Promise<boolean> {
  const pin = pinned(availableParallelism());
  const rest = async (file: string, ...args: string[]): Promise<Part<Answering>> => {
    const part = await startPart<Answering>({ file, core: 'rest', pin, args });
    parts.push(part);
    return part;
  };
  const [legacy, modern, loader] = [
    await rest('upstream.ts', 'legacy'),
    await rest('upstream.ts', 'modern'),
    await rest('load.ts'),
  ];
  const ends: Ends = { legacy: legacy.ready.url, modern: modern.ready.url, collector: '', pin, flags: [] };
  const gateway = await starts.sekisho(ends);
  parts.push(gateway);
  const plan = rowPlans.find(({ id }) => id === 'sekisho');
  if (!plan) throw new Error('no row to soak');
  const { target } = await prepared(plan, gateway, gateway.ready);
  const streams = new Streams(target);
  const rate = Number(values.rate);
  const job = { ...target, connections: 32, seconds: pieceSeconds, rate };
  const before = await gateway.usage();
  const samples: (Usage & { readonly minute: number })[] = [];
  const began = Date.now();
  const minutes = Number(values.minutes);
  for (let shown = 0; Date.now() - began < minutes * 60_000; ) {
    const said = (await loader.ask(job)) as Measured | { readonly fault: string };
    if ('fault' in said) throw new Error(said.fault);
    const minute = (Date.now() - began) / 60_000;
    samples.push({ ...(await gateway.usage()), minute });
    if (Math.floor(minute) === shown) continue;
    shown = Math.floor(minute);
    const { rss, handles } = samples.at(-1) ?? before;
    process.stdout.write(
      `minute ${shown} of ${minutes}: ${mib(rss)} MiB, ${handles} handles, p99 ${said.p99.toFixed(0)} µs, ${streams.opened} streams opened\n`,
    );
  }
  await streams.close();
  const after = await gateway.usage();
  const late = samples.filter(({ minute }) => minute > minutes * warmShare);
  const growth = slope(late.map(({ minute, rss }) => [minute, rss / 1024 ** 2]));
  const opening = slope(late.map(({ minute, handles }) => [minute, handles]));
  const lines = [
    '',
    `${machine}; ${rate} calls/s for ${minutes} minutes, ${streams.opened} streams opened and closed, ${streams.lost} of them lost`,
    `memory: ${mib(before.rss)} MiB before, ${mib(after.rss)} after, ${growth.toFixed(2)} MiB a minute after the first quarter (at most ${mostGrowth})`,
    `handles: ${before.handles} before, ${after.handles} after, ${opening.toFixed(2)} more a minute (at most ${mostGrowth})`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return growth <= mostGrowth && opening <= mostGrowth && streams.lost === 0;
}

const mib = (bytes: number): string => (bytes / 1024 ** 2).toFixed(0);

if (values.help) process.stdout.write(`${help}\n`);
else {
  const parts: Part<unknown>[] = [];
  try {
    const good = await soak(parts);
    process.stdout.write(good ? '1 passed, 0 failed\n' : '0 passed, 1 failed\n');
    process.exitCode = good ? 0 : 1;
  } catch (fault) {
    process.stderr.write(`the soak failed: ${String(fault)}\n`);
    process.exitCode = 1;
  } finally {
    for (const part of parts.reverse()) await part.stop();
  }
}
