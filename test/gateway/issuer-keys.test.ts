import { afterEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { aJob, aRule, exchange } from '#test/support/run-tokens.ts';

/** The wall clock alone goes on when it is told to; sockets and timers go as ever. */
const clock = (): { skip(ms: number): void } => {
  vi.useFakeTimers({ toFake: ['Date'] });
  return { skip: (ms) => void vi.setSystemTime(Date.now() + ms) };
};

afterEach(() => void vi.useRealTimers());

describe('the keys of an issuer', () => {
  test('are asked for once for many, and again when they are exchanged, at most every 30 s (A16)', async () => {
    const { skip } = clock();
    const other = await startIssuer();
    const own = await startGateway({ identity: { runs: [aRule(other)] } });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => exchange(own, await other.sign(aJob(other)))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(other.fetched()).toBe(1);
    // A flood of made-up names within the 30 s costs no fetch at all, and who has a known key does not notice.
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => exchange(own, await other.sign(aJob(other), { kid: `made-up-${n}` }))),
    );
    expect(other.fetched()).toBe(1);
    expect((await exchange(own, await other.sign(aJob(other)))).status).toBe(200);
    const early = await other.sign(aJob(other));
    other.rotate();
    const fresh = async () => exchange(own, await other.sign(aJob(other)));
    expect((await fresh()).body.reason).toBe('subject_invalid');
    skip(30_000);
    expect((await fresh()).status).toBe(200);
    expect((await exchange(own, early)).body.reason).toBe('subject_invalid');
    expect(other.fetched()).toBe(2);
    await own.close();
    await other.close();
  });

  test.each<[string, { status: number; body: string }]>([
    ['an error', { status: 500, body: '' }],
    ['a redirect', { status: 302, body: '' }],
    ['nonsense', { status: 200, body: '<html>' }],
    [
      'a private key',
      { status: 200, body: JSON.stringify({ keys: [{ kty: 'RSA', kid: 'key-0', n: 'x', e: 'AQAB', d: 'x' }] }) },
    ],
    ['too much', { status: 200, body: 'x'.repeat(70_000) }],
  ])('that come as %s let nobody in, and say so (A2)', async (_, broken) => {
    const other = await startIssuer();
    other.broken = broken;
    const own = await startGateway({ identity: { runs: [aRule(other)] } });
    const answer = await exchange(own, await other.sign(aJob(other)));
    expect([answer.status, answer.body.error, answer.body.reason]).toEqual([
      503,
      'temporarily_unavailable',
      'issuer_unavailable',
    ]);
    expect(JSON.stringify(own.log)).toContain('the keys of an issuer could not be had');
    await own.close();
    await other.close();
  });

  test.each<[string, (other: TestIssuer, inside: TestIssuer) => Record<string, unknown>]>([
    ['of another issuer', () => ({ issuer: 'https://other.test' })],
    ['whose keys are inside (F2)', (_, inside) => ({ jwks_uri: inside.jwksUrl.replace('127.0.0.1', 'localhost') })],
    ['whose keys are on another port of an opened host (F2)', (_, inside) => ({ jwks_uri: inside.jwksUrl })],
    ['whose keys are at a file', () => ({ jwks_uri: 'file:///etc/passwd' })],
    ['without keys', () => ({ jwks_uri: undefined })],
  ])('a discovery document %s is not believed', async (_, discovery) => {
    const [other, inside] = [await startIssuer(), await startIssuer()];
    other.discovery = discovery(other, inside);
    const own = await startGateway({ identity: { runs: [aRule(other)] } });
    const answer = await exchange(own, await other.sign(aJob(other)));
    expect([answer.status, answer.body.reason]).toEqual([503, 'issuer_unavailable']);
    expect(inside.fetched()).toBe(0);
    expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1');
    for (const one of [own, other, inside]) await one.close();
  });
});
