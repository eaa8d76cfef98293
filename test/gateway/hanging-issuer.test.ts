import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { envelope, modernHeaders, openSession, reasonOf } from '#test/support/messages.ts';
import { aJob, aRule, aRunToken, exchange, sendForm } from '#test/support/run-tokens.ts';

/** Issuers that take connections and say nothing: nobody but their own callers may feel it. */

const resource = 'http://127.0.0.1:7410/mcp';

let good: TestIssuer;
let hanging: TestIssuer;
let sekisho: TestGateway;

let mute: TestIssuer;
/** One a test: who asked an issuer in vain does not ask it again for a while. */
let late: readonly TestIssuer[];

const person = (id: string, { url, caFile }: TestIssuer, typ = 'JWT') => ({
  ...{ id, issuer: url, audience: resource, keys: { ca: caFile }, verify: { typ } },
});

beforeAll(async () => {
  [good, hanging, mute] = await Promise.all([startIssuer(), startIssuer(), startIssuer()]);
  late = await Promise.all([startIssuer(), startIssuer()]);
  for (const one of late) one.hanging = true;
  hanging.hanging = true;
  mute.hanging = true;
  sekisho = await startGateway({
    identity: {
      people: [
        person('good', good),
        person('hanging', hanging),
        person('mute', mute, 'at+jwt'),
        ...late.map((one, n) => person(`late${n}`, one)),
      ],
      runs: [aRule(good), aRule(hanging, { id: 'hanging' })],
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await Promise.all([good, hanging, mute, ...(late ?? [])].map((issuer) => issuer?.close()));
});

const aPerson = (issuer: TestIssuer, jti: string): Promise<string> =>
  issuer.sign({ iss: issuer.url, aud: resource, sub: 'grace', jti });

/** Milliseconds; far below the three seconds after which a fetch is given up. */
const atOnce = 2_500;

async function inTime<T>(work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const done = await work();
  expect(performance.now() - began).toBeLessThan(atOnce);
  return done;
}

test('300 people of an issuer that hangs delay nobody of another one', async () => {
  const mine = await aPerson(good, 'first');
  const theirs = await Promise.all(Array.from({ length: 300 }, (_, n) => aPerson(hanging, `p${n}`)));
  const flood = theirs.map((token) => openSession(sekisho, { token }));
  expect((await inTime(() => openSession(sekisho, { token: mine }))).agreed.status).toBe(200);
  const ends = await Promise.all(flood);
  expect([...new Set(ends.map(({ agreed }) => reasonOf(agreed)))].sort()).toEqual(['issuer_unavailable', 'overloaded']);
});

test('300 exchanges at an issuer that hangs delay neither those at another one, nor a renewal', async () => {
  const token = await aRunToken(sekisho, good);
  const theirs = await Promise.all(Array.from({ length: 300 }, () => hanging.sign(aJob(hanging))));
  const flood = theirs.map((subject) => exchange(sekisho, subject));
  const job = await good.sign(aJob(good));
  expect((await inTime(() => exchange(sekisho, job))).status).toBe(200);
  expect((await inTime(() => exchange(sekisho, token))).status).toBe(200);
  expect((await Promise.all(flood)).every(({ status }) => status === 503)).toBe(true);
});

test('tokens of an issuer that hangs, sent as if for renewal, keep no renewal waiting: they are none of ours', async () => {
  const token = await aRunToken(sekisho, good);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const claims = { iss: mute.url, aud: resource, sub: 'grace' };
  const forged = await Promise.all(
    Array.from({ length: 80 }, (_, n) => mute.sign({ ...claims, jti: `f${n}` }, { typ: 'at+jwt' }, privateKey)),
  );
  const flood = forged.map((one) => exchange(sekisho, one));
  expect((await inTime(() => exchange(sekisho, token))).status).toBe(200);
  const ends = await Promise.all(flood);
  expect([...new Set(ends.map(({ status, body }) => `${status} ${body.reason}`))]).toEqual(['403 rule_unmatched']);
});

test('who knows a session and waits to be known takes no request id in it', async () => {
  const [issuer] = late as [TestIssuer];
  const session = await openSession(sekisho, { token: await aPerson(good, 'owner') });
  const headers = { ...session.headers, authorization: `Bearer ${await aPerson(issuer, 'squatter')}` };
  const ping = { jsonrpc: '2.0', id: 7, method: 'ping' };
  const squatting = sekisho.post(ping, headers);
  await sleep(200);
  expect((await session.ask('ping', {}, 7)).answer.result).toEqual({});
  expect((await squatting).status).toBe(503);
});

test('who leaves while they are not known yet is recorded once, as who had left', async () => {
  const [, issuer] = late as [TestIssuer, TestIssuer];
  const stop = new AbortController();
  const headers = {
    ...modernHeaders(await aPerson(issuer, 'leaver'), 'tools/list'),
    ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'left', method: 'tools/list', params: { _meta: envelope() } });
  const asked = fetch(`${sekisho.origin}/mcp`, { method: 'POST', headers, body, signal: stop.signal });
  const left = expect(asked).rejects.toThrow();
  await sleep(200);
  stop.abort();
  await left;
  await vi.waitFor(async () => {
    const lines = (await sekisho.audit()).filter(({ method }) => method === 'tools/list');
    expect(lines).toMatchObject([{ outcome: 'cancelled', left: true, principal: null }]);
  }, 10_000);
});

test('who revokes a token that cannot be looked at is told to come again, and not that it is over (RFC 7009 §2.2.1)', async () => {
  const answer = await sendForm(sekisho.origin, '/oauth/revoke', { token: await aPerson(hanging, 'revoked') });
  expect([answer.status, answer.body.error, answer.body.reason, answer.headers.get('retry-after')]).toEqual([
    ...[503, 'temporarily_unavailable', 'issuer_unavailable', '5'],
  ]);
  expect((await sekisho.audit()).at(-1)).toMatchObject({ method: 'oauth/revoke', reason: 'issuer_unavailable' });
});

test('a token that its own claims rule out makes nobody ask its issuer', async () => {
  const silent = await startIssuer();
  const alone = await startGateway({ identity: { runs: [aRule(silent)] } });
  const answer = await exchange(alone, await silent.sign(aJob(silent, { aud: 'https://sibling.test' })));
  expect([answer.body.reason, silent.fetched()]).toEqual(['subject_invalid', 0]);
  await alone.close();
  await silent.close();
});
