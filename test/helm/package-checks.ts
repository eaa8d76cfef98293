import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chartFolder, type Helm, renderText, smallest } from './chart.ts';
import type { Tally } from './tally.ts';

/** The packed chart holds what it needs, nothing else, and renders as the folder does. */
export async function packageChecks(helm: Helm, home: string, tally: Tally): Promise<void> {
  const folder = join(home, 'packed');
  await tally.check('helm package packs the chart without its scenarios, and the package renders the same', () => {
    const said = helm('package', chartFolder, '--destination', folder);
    if (!said.ok) throw new Error(said.all);
    const packed = join(folder, String(readdirSync(folder)[0]));
    const list = spawnSync('tar', ['-tzf', packed], { encoding: 'utf8' }).stdout;
    for (const needed of ['values.schema.json', 'files/checkpoint.mjs', 'templates/_validate.tpl'])
      if (!list.includes(needed)) throw new Error(`${needed} is not in the package`);
    if (list.includes('/ci/')) throw new Error('the scenarios are in the package');
    const from = helm('template', 'trial', packed, '--namespace', 'tools', '--values', smallest);
    if (from.stdout !== renderText(helm, [smallest])) throw new Error(`it renders differently: ${from.all}`);
  });
  await tally.check('the notes name the URL, the signers, and the restart a policy change needs', () => {
    const said = helm('install', 'trial', chartFolder, '--dry-run=client', '--values', smallest);
    const notes = said.all.split('NOTES:')[1] ?? '';
    for (const needed of [
      'https://mcp.example.com/mcp',
      'https://ci.example.com',
      'rollout restart deployment/trial-sekisho',
    ])
      if (!notes.includes(needed)) throw new Error(`"${needed}" is not in the notes: ${said.all}`);
  });
}
