import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aProver } from '#test/support/dpop.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer } from '#test/support/gateway.ts';
import { type GatewayProcess, startGatewayProcess, writeConfig } from '#test/support/gateway-process.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { aJob, aRule, exchange, sendForm } from '#test/support/run-tokens.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

/** Two gateway processes with one store and one folder of keys. */

let scratch: ScratchFolder;
let issuer: TestIssuer;
let upstream: EverythingUpstream;
let gateways: readonly GatewayProcess[];

beforeAll(async () => {
  [scratch, issuer, upstream] = await Promise.all([scratchFolder(), startIssuer(), startEverything()]);
  gateways = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const folder = scratch.at(name);
      await mkdir(folder);
      const file = await writeConfig(folder, {
        identity: { runs: [aRule(issuer)], keys: scratch.at('keys'), dpop: { nonce: true } },
        store: { kind: 'sqlite', path: scratch.at('shared.db') },
        servers: { up: anOpenServer(upstream.url) },
      });
      return startGatewayProcess(file, folder);
    }),
  );
});

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop('SIGTERM')));
  await upstream?.close();
  await issuer?.close();
  await scratch?.[Symbol.asyncDispose]();
});

const origins = (): readonly string[] => gateways.map(({ url }) => new URL(url).origin);

async function initialize(origin: string, token: string): Promise<number> {
  return (await send(origin, { authorization: `Bearer ${token}` })).status;
}

async function send(origin: string, credential: Record<string, string>): Promise<Response> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand', version: '1' } };
  const response = await fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: {
      ...credential,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
  });
  await response.text();
  return response;
}

test('of one token that comes 50 times at once to two processes, one run token is made (A7)', async () => {
  const [a = '', b = ''] = origins();
  const token = await issuer.sign(aJob(issuer));
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => exchange({ origin: n % 2 === 0 ? a : b }, token)),
  );
  const given = answers.filter(({ status }) => status === 200);
  expect(given).toHaveLength(1);
  expect(answers.filter(({ body }) => body.reason === 'subject_used')).toHaveLength(49);
});

test('a run token of one process is good at the other one, and is renewed once by both', async () => {
  const [a = '', b = ''] = origins();
  const { body } = await exchange({ origin: a }, await issuer.sign(aJob(issuer)));
  const token = String(body.access_token);
  expect(await initialize(b, token)).toBe(200);
  const renewals = await Promise.all(Array.from({ length: 10 }, (_, n) => exchange({ origin: n % 2 ? a : b }, token)));
  expect(renewals.filter(({ status }) => status === 200)).toHaveLength(1);
});

test('what is revoked at one process is refused by the other one within a second', async () => {
  const [a = '', b = ''] = origins();
  const { body } = await exchange({ origin: a }, await issuer.sign(aJob(issuer)));
  const token = String(body.access_token);
  expect(await initialize(b, token)).toBe(200);
  expect((await sendForm(a, '/oauth/revoke', { token })).status).toBe(200);
  expect(await initialize(a, token)).toBe(401);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(await initialize(b, token)).toBe(401);
});

test('a gateway that is killed forgets neither what was redeemed nor what was revoked', async () => {
  const [first] = gateways;
  if (!first) throw new Error('no gateway');
  const [a = '', b = ''] = origins();
  const job = aJob(issuer);
  const subject = await issuer.sign(job);
  const { body } = await exchange({ origin: a }, subject);
  const token = String(body.access_token);
  await sendForm(a, '/oauth/revoke', { token });
  await first.stop('SIGKILL');
  expect((await exchange({ origin: b }, subject)).body.reason).toBe('subject_used');
  const again = await startGatewayProcess(join(scratch.at('a'), 'gateway.yaml'), scratch.at('a'));
  gateways = [again, ...gateways.slice(1)];
  const origin = new URL(again.url).origin;
  expect(await initialize(origin, token)).toBe(401);
  expect((await exchange({ origin }, subject)).body.reason).toBe('subject_used');
});

test('a proof that one process has taken is worth nothing at the other one, nor a second time at the first (A15)', async () => {
  const [a = '', b = ''] = origins();
  const prover = await aProver();
  const { issuer: name } = (await (await fetch(`${a}/.well-known/oauth-authorization-server`)).json()) as {
    issuer: string;
  };
  const ask = async (nonce?: string) => {
    const dpop = await prover.prove({ url: `${name}/oauth/token`, ...(nonce === undefined ? {} : { nonce }) });
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    return sendForm(a, '/oauth/token', { grant_type, assertion: await issuer.sign(aJob(issuer)) }, { dpop });
  };
  const nonce = (await ask()).headers.get('dpop-nonce') ?? '';
  const token = String((await ask(nonce)).body.access_token);
  const dpop = await prover.prove({ url: `${name}/mcp`, token, nonce });
  const credential = { authorization: `DPoP ${token}`, dpop };
  expect((await send(a, credential)).status).toBe(200);
  const elsewhere = await send(b, credential);
  expect([elsewhere.status, elsewhere.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('use_dpop_nonce'),
  ]);
  const again = await send(a, credential);
  expect([again.status, again.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('invalid_dpop_proof'),
  ]);
  // With the nonce of the other process the same token is good there.
  const its = elsewhere.headers.get('dpop-nonce') ?? '';
  const fresh = await prover.prove({ url: `${name}/mcp`, token, nonce: its });
  expect((await send(b, { authorization: `DPoP ${token}`, dpop: fresh })).status).toBe(200);
});
