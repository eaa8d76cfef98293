import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { chartFolder, type Helm, scenarios, smallest, wrongValues } from './chart.ts';
import type { Tally } from './tally.ts';

/** Real Helm's own opinion: every scenario is accepted, every wrong one refused with the sentence its file names. */
export async function lintChecks(helm: Helm, tally: Tally): Promise<void> {
  for (const values of scenarios()) {
    await tally.check(`helm lint --strict accepts ${basename(values)}`, () => {
      const said = helm('lint', '--strict', chartFolder, '--values', values);
      if (!said.ok) throw new Error(said.all);
      // In lint mode `fail` only logs: a contradiction in a scenario would pass unseen.
      if (said.all.includes('funcMap fail')) throw new Error(said.all);
    });
  }
  for (const values of wrongValues()) {
    const says = /^# says: (.+)$/m.exec(readFileSync(values, 'utf8'))?.[1];
    await tally.check(`${basename(values)} is refused: ${says}`, () => {
      if (!says) throw new Error('the file does not begin with "# says: …"');
      const said = helm('template', 'trial', chartFolder, '--values', smallest, '--values', values);
      if (said.ok) throw new Error('it was rendered');
      if (!said.all.includes(says)) throw new Error(said.all);
    });
  }
  await tally.check('the chart as it comes refuses to be installed before url, signers and servers are given', () => {
    const said = helm('template', 'trial', chartFolder);
    if (said.ok || !said.all.includes('url is not set')) throw new Error(said.all);
  });
}
