import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { openSession } from '#test/support/messages.ts';
import { aRule, aRunToken } from '#test/support/run-tokens.ts';

const program = fileURLToPath(new URL('../support/flood.ts', import.meta.url));

let issuer: TestIssuer;
let sekisho: TestGateway;

beforeAll(async () => {
  issuer = await startIssuer();
  sekisho = await startGateway({ identity: { runs: [aRule(issuer)] } });
});

afterAll(async () => {
  await sekisho?.close();
  await issuer?.close();
});

/** Does `work` while another process sends what it can; the answers that it got, by status. */
async function during<T>(kind: 'as-it-is' | 'forged', token: string, work: () => Promise<T>) {
  const child = spawn(process.execPath, [program, `${sekisho.origin}/mcp`, token, kind], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const done = await work();
  child.stdin.end('stop');
  const statuses = JSON.parse(String((await lines.next()).value)) as Record<string, number>;
  return { done, statuses };
}

/** The times, in milliseconds, in which a caller that is known is answered; every one of its calls must be. */
async function timesOf(token: string): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < 60; n++) {
    const began = performance.now();
    expect((await openSession(sekisho, { token })).agreed.status).toBe(200);
    times.push(performance.now() - began);
  }
  return times;
}

const median = (times: readonly number[]): number =>
  times.toSorted((one, other) => one - other)[times.length >> 1] ?? 0;

// Two medians of time: what somebody else on the machine spoils is measured again.
test('a flood of forged tokens costs others no more than as many ordinary calls would', { retry: 2 }, async () => {
  const [known, flooder] = [await aRunToken(sekisho, issuer), await aRunToken(sekisho, issuer)];
  const times = { 'as-it-is': [] as number[], forged: [] as number[] };
  // In turns, so that whatever else the machine does falls on both.
  for (const kind of ['as-it-is', 'forged', 'forged', 'as-it-is', 'as-it-is', 'forged'] as const) {
    const { done, statuses } = await during(kind, flooder, () => timesOf(known));
    times[kind].push(...done);
    // Every forged one was refused, by its signature or because too many wait already.
    const expected = kind === 'forged' ? ['401', '503'] : ['200'];
    expect(Object.keys(statuses).filter((status) => !expected.includes(status))).toEqual([]);
  }
  expect(median(times.forged) / median(times['as-it-is'])).toBeLessThan(3);
});

test('a run that is opened in the middle of a flood calls at once: its token needs no check here', async () => {
  const flooder = await aRunToken(sekisho, issuer);
  const { done } = await during('forged', flooder, async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 20; n++) {
      const token = await aRunToken(sekisho, issuer);
      statuses.push((await openSession(sekisho, { token })).agreed.status);
    }
    return statuses;
  });
  expect(done).toEqual(done.map(() => 200));
});
