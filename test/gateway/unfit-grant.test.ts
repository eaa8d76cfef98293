import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { aJob, aRule, claimsOf, exchange } from '#test/support/run-tokens.ts';

/** A rule that the config takes, and whose whole grant no token can say. */

let issuer: TestIssuer;
let sekisho: TestGateway;

beforeAll(async () => {
  issuer = await startIssuer();
  const tools = ['up.echo', ...Array.from({ length: 99 }, (_, n) => `up.${'x'.repeat(100)}${n}`)];
  sekisho = await startGateway({ identity: { runs: [aRule(issuer, { grant: { tiers: ['internal'], tools } })] } });
});

afterAll(async () => {
  await sekisho?.close();
  await issuer?.close();
});

test('what does not fit into a token is refused, and the token of the platform is not used up', async () => {
  const subject = await issuer.sign(aJob(issuer));
  const answer = await exchange(sekisho, subject);
  expect([answer.status, answer.body.error, answer.body.reason]).toEqual([400, 'invalid_scope', 'grant_unfit']);
  const lines = (await sekisho.audit()).filter(({ method }) => method === 'oauth/token');
  expect(lines).toMatchObject([{ reason: 'grant_unfit', outcome: 'denied' }]);
  const narrower = await exchange(sekisho, subject, { scope: 'tool:up.echo' });
  expect(claimsOf(narrower.body.access_token)).toMatchObject({ mcp: { tools: ['up.echo'] } });
});

test('a run whose name does not fit finds no rule', async () => {
  const answer = await exchange(sekisho, await issuer.sign(aJob(issuer, { job: 'x'.repeat(247) })));
  expect([answer.status, answer.body.reason]).toEqual([403, 'rule_unmatched']);
});
