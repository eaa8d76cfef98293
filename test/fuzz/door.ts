import { parseArgs } from 'node:util';
import { difference, mutated } from '#test/support/door-differential.ts';
import { createChance } from './chance.ts';

const help = `npm run fuzz:door -- [--requests N] [--seed N]

Shows mutated HTTP requests to the gateway's front door and to Node's own parser, and compares what they read. Whatever
the door takes Node must read with the same meaning. 10,000,000 requests take about half a minute.

  --requests N   how many (10000000)
  --seed N       where the generator begins (the time)

Ends with 1 at the first difference, and prints the request.`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    requests: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});

function fuzz(requests: number, seed: number): boolean {
  const random = createChance(seed).fraction;
  const began = performance.now();
  let accepted = 0;
  for (let i = 1; i <= requests; i++) {
    const text = mutated(random);
    const seen = difference(text);
    if (seen.accepted) accepted++;
    if (seen.difference !== null) {
      process.stdout.write(`request ${i} of seed ${seed}:\n${JSON.stringify(text)}\n${seen.difference}\n`);
      return false;
    }
    if (i % 1_000_000 === 0) process.stderr.write(`${i} requests, ${accepted} taken, no difference …\n`);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  process.stdout.write(
    `${requests} requests, ${accepted} taken by the door, no difference; seed ${seed}, ${seconds} s\n`,
  );
  return true;
}

if (values.help) process.stdout.write(`${help}\n`);
else process.exitCode = fuzz(Number(values.requests), Number(values.seed)) ? 0 : 1;
