import { isDeepStrictEqual, parseArgs } from 'node:util';
import fc from 'fast-check';
import { mutatedAnswer } from './mutated-answer.ts';
import { createTwoReaders } from './two-readers.ts';

const help = `npm run fuzz:http -- [--runs N] [--seed N]

Mutates HTTP answers and has our upstream client and Node's own read them from real sockets, cut into the same packets.
What ours takes, Node has to take for the same status, headers and body. Ends with 1 on the first answer where it does not.

  --runs N   how many answers (100000: about a minute and a half)
  --seed N   the same answers again`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});

const together = 64;

async function fuzz(runs: number, seed: number): Promise<boolean> {
  const readers = await createTwoReaders();
  const began = performance.now();
  let [done, taken, nodeOnly] = [0, 0, 0];
  process.stdout.write(`${runs} answers, seed ${seed}\n`);
  try {
    while (done < runs) {
      const batch = fc.sample(mutatedAnswer, { numRuns: together, seed: seed + done });
      const readings = await Promise.all(batch.map(async (answer) => ({ answer, ...(await readers.read(answer)) })));
      for (const { answer, ours, nodes } of readings) {
        if (ours !== null && !isDeepStrictEqual(ours, nodes)) {
          const wire = JSON.stringify(answer.bytes.toString('latin1'));
          process.stdout.write(`read two ways, cut at ${answer.cuts}: ${wire}\n`);
          process.stdout.write(`ours:  ${JSON.stringify(ours)}\nNode:  ${JSON.stringify(nodes)}\n`);
          return false;
        }
        if (ours !== null) taken++;
        else if (nodes !== null) nodeOnly++;
      }
      done += batch.length;
      if (done % 10_048 < together) process.stdout.write(`${done} …\n`);
    }
  } finally {
    await readers.close();
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  const refused = done - taken;
  process.stdout.write(`${done} answers in ${seconds} s: ${taken} taken, each as Node reads it; ${refused} refused, `);
  process.stdout.write(`of which Node takes ${nodeOnly}\n`);
  return true;
}

if (values.help) process.stdout.write(`${help}\n`);
else process.exitCode = (await fuzz(Number(values.runs), Number(values.seed))) ? 0 : 1;
