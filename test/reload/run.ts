import { parseArgs } from 'node:util';
import { reloadUnderLoad } from './scenario.ts';

/** `npm run test:reload`: good and broken edits of the policy in turn, five a second, for a minute, under load. */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const { wrong, ...counts } = await reloadUnderLoad(Number(values.seconds));
console.log(
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', '),
);
for (const one of [...new Set(wrong)].slice(0, 20)) console.log(`FAILED: ${one}`);
console.log(wrong.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
process.exitCode = wrong.length === 0 ? 0 : 1;
