import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { createHelm, documentedValues, type Helm, render, renderText, scenarios } from './chart.ts';
import { gatewayAccepts } from './config-checks.ts';
import { contractChecks } from './contract.ts';
import { lintChecks } from './lint-checks.ts';
import { judged, mountedConfigMaps, objectChecks } from './object-checks.ts';
import { packageChecks } from './package-checks.ts';
import { buildPrograms } from './programs.ts';
import { rolloutChecks } from './rollout-checks.ts';
import { createTally, type Tally } from './tally.ts';
import { valuesChecks } from './values-checks.ts';

// `npm run test:helm`: the chart through real Helm, and the gateway in the pod that the chart describes.
// `npm run test:helm -- chart` or `-- contract` runs one half.

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function renderChecks(helm: Helm, judge: string, home: string, tally: Tally): Promise<void> {
  for (const values of [...scenarios(), documentedValues(home)]) {
    print(`${basename(values)}:`);
    const { servers, policies } = parse(readFileSync(values, 'utf8'));
    const kept = [servers?.existingConfigMap, policies?.existingConfigMap];
    const read = () => render(helm, [values]);
    await tally.check('Kubernetes knows every field, none is there twice, and the pods are "restricted"', () =>
      judged(renderText(helm, [values]), judge),
    );
    await tally.check('every mounted ConfigMap exists', () => mountedConfigMaps(read(), kept));
    await tally.check('the gateway accepts the config, and the pod fits it', () => gatewayAccepts(read()));
    for (const [title, check] of Object.entries(objectChecks)) await tally.check(title, () => check(read()));
  }
}

async function main(halves: readonly string[]): Promise<number> {
  const { helm: program, judge } = buildPrograms(print);
  const home = mkdtempSync(join(tmpdir(), 'sekisho-helm-'));
  const tally = createTally(print);
  try {
    const helm = createHelm(program, home);
    if (halves.includes('chart')) {
      await lintChecks(helm, tally);
      await valuesChecks(tally);
      await renderChecks(helm, judge, home, tally);
      await rolloutChecks(helm, tally);
      await packageChecks(helm, home, tally);
    }
    if (halves.includes('contract')) await contractChecks(helm, home, tally);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return tally.close();
}

const asked = process.argv.slice(2);
try {
  process.exitCode = (await main(asked.length > 0 ? asked : ['chart', 'contract'])) === 0 ? 0 : 1;
} catch (cause) {
  print(`${cause instanceof Error ? cause.message : String(cause)}\n\n0 passed, 1 failed`);
  process.exitCode = 1;
}
