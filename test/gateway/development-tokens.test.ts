import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { leftBy } from '#test/support/left-by.ts';
import { openSession, reasonOf } from '#test/support/messages.ts';
import { aRule, exchange, sendForm } from '#test/support/run-tokens.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** A17: a token of a gateway in development mode, at one that is not, or at another machine's. */

let issuer: TestIssuer;
let upstream: EverythingUpstream;
let development: TestGateway;

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startEverything()]);
  development = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await development?.close();
  await upstream?.close();
  await issuer?.close();
});

/** With everything that a development gateway had, but the mode: its key lies where it always lay. */
async function production(): Promise<TestGateway> {
  const state = await scratchFolder();
  await mkdir(state.at('keys'), { mode: 0o700 });
  const key = join(development.gateway.config.state, 'keys', 'development.jwk');
  await cp(key, state.at('keys/development.jwk'));
  const servers = { up: anOpenServer(upstream.url) };
  const sekisho = await startGateway({ state: state.path, servers, identity: { runs: [aRule(issuer)] } });
  onTestFinished(async () => {
    await sekisho.close();
    await state[Symbol.asyncDispose]();
  });
  return sekisho;
}

async function otherMachine(): Promise<TestGateway> {
  const sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
  onTestFinished(() => sekisho.close());
  return sekisho;
}

test.each([
  ['a gateway in production, also with the key of development left on its disk', production],
  ['another machine in development', otherMachine],
])('is worth nothing at %s', async (_, start) => {
  const token = await development.token({ subject: 'service:root', groups: ['admins'] });
  const sekisho = await start();
  upstream.calls.clear();
  const opening = await leftBy(sekisho, () => openSession(sekisho, { token }), [token]);
  expect([opening.got.agreed.status, reasonOf(opening.got.agreed)]).toEqual([401, 'token_invalid']);
  expect(opening.lines).toMatchObject([{ reason: 'token_invalid', principal: null, outcome: 'unauthenticated' }]);
  expect([opening.leaks, upstream.calls.size]).toEqual([[], 0]);
});

test('is exchanged for no other at a gateway in production, and there is nothing to revoke', async () => {
  const token = await development.token();
  const sekisho = await production();
  const { got, lines, leaks } = await leftBy(sekisho, () => exchange(sekisho, token), [token]);
  expect([got.status, got.body.reason, lines.map(({ reason }) => reason)]).toEqual([
    ...[403, 'rule_unmatched', ['rule_unmatched']],
  ]);
  expect(leaks).toEqual([]);
  expect((await sendForm(sekisho.origin, '/oauth/revoke', { token })).status).toBe(200);
  expect(sekisho.gateway.store.runs.revocationsAfter(0)).toEqual([]);
});

test('a gateway in production mints nothing for who may open its socket', async () => {
  expect((await production()).gateway.minting).toBeNull();
});
