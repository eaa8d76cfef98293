import { mkdir, rmdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { aJob, aRule, exchange } from '#test/support/run-tokens.ts';
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
