import { parseArgs } from 'node:util';
import { benign, poisoned } from './corpus.ts';
import { type Rate, ratesOf, reviewed } from './rates.ts';

/** `npm run poison`: detection and false alarms by kind, in both halves. `--show` prints what the tuning half shows. */

const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`);

function line({ kind, poisoned: all, detected, benign: good, alarms }: Rate): string {
  const found = `${detected}/${all}`.padStart(8);
  const false_ = `${alarms}/${good}`.padStart(9);
  return `${kind.padEnd(24)}${found} ${percent(detected, all).padStart(8)}${false_} ${percent(alarms, good).padStart(8)}`;
}

const { values } = parseArgs({ options: { show: { type: 'boolean', default: false } } });
for (const half of ['tune', 'held'] as const) {
  process.stdout.write(`\n${half === 'tune' ? 'the half it was tuned on' : 'the half that was held out'}\n`);
  process.stdout.write(`${'kind'.padEnd(24)}   found     rate   alarms     rate\n`);
  for (const rate of await ratesOf(half)) process.stdout.write(`${line(rate)}\n`);
}
if (values.show) {
  for (const { id, half, kinds, definitions } of poisoned()) {
    const found = new Set((await reviewed(definitions)).map(({ kind }) => kind));
    const missed = kinds.filter((kind) => !found.has(kind));
    if (half === 'tune' && missed.length > 0) {
      process.stdout.write(
        `missed ${id} ${missed}; found ${[...found]}: ${JSON.stringify(definitions).slice(0, 600)}\n`,
      );
    }
  }
  for (const { half, source, definitions } of benign()) {
    if (half !== 'tune') continue;
    for (const { kind, name, pointer, why, shown } of await reviewed(definitions)) {
      process.stdout.write(`alarm ${source} ${name}${pointer} ${kind}: ${why}: ${shown}\n`);
    }
  }
}
