import { mkdir, rmdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { postLines, sendRaw } from '#test/support/raw-http.ts';
import { aJob, aRule, aRunToken, exchange, sendForm } from '#test/support/run-tokens.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

test('nothing is given out while it could not be recorded, and no token is used up by that', async () => {
  await using scratch = await scratchFolder();
  await mkdir(scratch.at('audit.jsonl'));
  const sekisho = await startGateway({ identity: { runs: [aRule(issuer)] }, audit: { path: scratch.path } });
  const token = await issuer.sign(aJob(issuer));
  const answer = await exchange(sekisho, token);
  expect([answer.status, answer.body.reason, answer.headers.get('retry-after')]).toEqual([503, 'overloaded', '5']);
  await rmdir(scratch.at('audit.jsonl'));
  await expect.poll(async () => (await exchange(sekisho, token)).status, { timeout: 5_000 }).toBe(200);
  await sekisho.close();
});

test('a store that is out of reach gives nothing out, says nothing of why, and lets nobody pass', async () => {
  const sekisho = await startGateway({ identity: { runs: [aRule(issuer)] } });
  const subject = await issuer.sign(aJob(issuer));
  sekisho.gateway.store.close();
  const answer = await exchange(sekisho, subject);
  expect([answer.status, answer.body]).toEqual([
    500,
    {
      error: 'server_error',
      error_description: 'Something broke in the gateway; the cause is in its log.',
      reason: 'fault',
    },
  ]);
  expect(sekisho.log.map(({ message }) => message)).toContain('a fault in the token service');
  expect((await sekisho.audit()).at(-1)).toMatchObject({ method: 'oauth/token', reason: 'fault', outcome: 'fault' });
  await sekisho.close();
});

test('a token that cannot be revoked for a fault is not said to be, and the fault is in the log', async () => {
  const sekisho = await startGateway({ identity: { runs: [aRule(issuer)] } });
  const token = await aRunToken(sekisho, issuer);
  sekisho.gateway.store.close();
  const answer = await sendForm(sekisho.origin, '/oauth/revoke', { token });
  expect([answer.status, answer.body]).toMatchObject([500, { error: 'server_error', reason: 'fault' }]);
  expect(sekisho.log).toContainEqual(
    expect.objectContaining({ level: 'error', fields: { fault: expect.any(Error), method: 'oauth/revoke' } }),
  );
  expect(JSON.stringify(sekisho.log)).not.toContain(token);
  expect((await sekisho.audit()).at(-1)).toMatchObject({ method: 'oauth/revoke', reason: 'fault', outcome: 'fault' });
  await sekisho.close();
});

test('what happened at the token service is recorded with how long it took', async () => {
  const sekisho = await startGateway({ identity: { runs: [aRule(issuer)] } });
  await aRunToken(sekisho, issuer);
  const [line] = (await sekisho.audit()).filter(({ method }) => method === 'oauth/token');
  expect(line?.duration_ms).toBeGreaterThan(0);
  await sekisho.close();
});

test('a foreign Host is refused in the words of OAuth', async () => {
  const sekisho = await startGateway({ identity: { runs: [aRule(issuer)] } });
  const body = 'token=x';
  const headers = { host: 'evil.example', 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await sendRaw(sekisho.origin, postLines('/oauth/revoke', body.length, headers), body);
  expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
    403,
    { error: 'invalid_request', reason: 'origin_forbidden' },
  ]);
  await sekisho.close();
});
