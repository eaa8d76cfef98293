import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aProver, athOf, type Prover } from '#test/support/dpop.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { envelope, heard, reasonOf, textOf } from '#test/support/messages.ts';
import { postLines, sendRaw } from '#test/support/raw-http.ts';
import { aJob, aRule, claimsOf, sendForm } from '#test/support/run-tokens.ts';

/** Tokens that are bound to a key (RFC 9449), with calls: A15, A13 and every rule of §4.3 and §7 over real sockets. */

/** As callers know the gateway: the config's `url`, whatever the socket is. */
const url = 'http://127.0.0.1:7410/mcp';
const tokenUrl = 'http://127.0.0.1:7410/oauth/token';

let issuer: TestIssuer;
let upstream: EverythingUpstream;
let sekisho: TestGateway;
let prover: Prover;
let token: string;

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startEverything()]);
  sekisho = await startGateway({
    identity: { development: true, runs: [aRule(issuer, { sender: 'dpop' })] },
    servers: { up: { tier: 'internal', url: upstream.url, tools: { '*': { action: 'read' } } } },
  });
  prover = await aProver();
  token = await aBoundToken(prover);
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await issuer?.close();
});

async function aBoundToken(by: Prover): Promise<string> {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: await issuer.sign(aJob(issuer)),
  };
  const { body } = await sendForm(sekisho.origin, '/oauth/token', form, { dpop: await by.prove({ url: tokenUrl }) });
  return String(body.access_token);
}

const echo = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'up__echo', arguments: { message: 'hi' }, _meta: envelope() },
};
const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'up__echo' };

const call = async (headers: Record<string, string>) => heard(await sekisho.post(echo, { ...modern, ...headers }));
const proven = async (proof: string) => call({ authorization: `DPoP ${token}`, dpop: proof });

test('a bound token says so, and calls with a proof for each request', async () => {
  expect(claimsOf(token)).toMatchObject({ cnf: { jkt: prover.jkt } });
  for (let n = 0; n < 3; n++) expect(textOf(await proven(await prover.prove({ url, token })))).toBe('hi');
});

test('proofs may take either road: our own reader takes them, and so does Node', async () => {
  const body = JSON.stringify(echo);
  const send = async (more: Record<string, string>) => {
    const dpop = await prover.prove({ url, token });
    const lines = postLines('/mcp', body.length, { ...modern, authorization: `DPoP ${token}`, dpop, ...more });
    return sendRaw(sekisho.origin, lines, body);
  };
  expect((await send({})).status).toBe(200);
  // A header that the door does not know leaves the request to Node.
  expect((await send({ 'x-other': 'y' })).status).toBe(200);
});

describe('refuses with 401, before any upstream is reached, a call', () => {
  test.each<[string, string, string, () => Promise<Record<string, string>>]>([
    [
      'with the bound token as Bearer',
      'proof_missing',
      'invalid_token',
      async () => ({ authorization: `Bearer ${token}` }),
    ],
    [
      'with the bound token as Bearer, and a good proof beside it',
      ...(['proof_missing', 'invalid_token'] as const),
      async () => ({ authorization: `Bearer ${token}`, dpop: await prover.prove({ url, token }) }),
    ],
    ['without a proof', 'proof_missing', 'invalid_token', async () => ({ authorization: `DPoP ${token}` })],
    ...(
      [
        ['whose proof is for another method', async () => prover.prove({ url, token }, { htm: 'GET' })],
        ['whose proof is for another URL', async () => prover.prove({ url: `${url}/server/up`, token })],
        [
          'whose proof is for where it came in, and not for our name',
          async () => prover.prove({ url: `${sekisho.origin}/mcp`, token }),
        ],
        ['whose proof is about another token', async () => prover.prove({ url, token }, { ath: athOf('other') })],
        ['whose proof is about no token', async () => prover.prove({ url })],
        [
          'whose proof is ten minutes early',
          async () => prover.prove({ url, token }, { iat: Math.floor(Date.now() / 1000) + 600 }),
        ],
        [
          'whose proof is ten minutes old',
          async () => prover.prove({ url, token }, { iat: Math.floor(Date.now() / 1000) - 600 }),
        ],
        ['whose proof is of another key', async () => (await aProver()).prove({ url, token })],
        [
          'whose proof is signed by another key',
          async () => prover.prove({ url, token }, {}, {}, (await aProver()).key),
        ],
        ['whose proof is the token itself', async () => token],
        ['whose proof is nonsense', async () => 'nonsense'],
      ] as const
    ).map(([what, proof]): [string, string, string, () => Promise<Record<string, string>>] => [
      ...([what, 'proof_invalid', 'invalid_dpop_proof'] as const),
      async () => ({ authorization: `DPoP ${token}`, dpop: await proof() }),
    ]),
  ])('%s', async (_, reason, error, make) => {
    const headers = await make();
    const [before, calls] = [(await sekisho.audit()).length, new Map(upstream.calls)];
    const answer = await call(headers);
    expect([answer.status, reasonOf(answer)]).toEqual([401, reason]);
    expect(answer.headers.get('www-authenticate')).toBe(
      `DPoP realm="sekisho", error="${error}", algs="Ed25519 EdDSA ES256"`,
    );
    expect((await sekisho.audit()).slice(before)).toMatchObject([
      { reason, principal: null, outcome: 'unauthenticated' },
    ]);
    expect(upstream.calls).toEqual(calls);
    const said = JSON.stringify([answer.answer, await sekisho.audit(), sekisho.log, await sekisho.metrics()]);
    for (const secret of [token, headers.dpop ?? token]) expect(said).not.toContain(secret.split('.')[2] ?? secret);
  });

  test('whose proof came before, also when its token has long been known', async () => {
    const proof = await prover.prove({ url, token });
    expect((await proven(proof)).status).toBe(200);
    const calls = new Map(upstream.calls);
    const again = await Promise.all(Array.from({ length: 10 }, () => proven(proof)));
    expect(again.map((answer) => [answer.status, reasonOf(answer)])).toEqual(again.map(() => [401, 'proof_invalid']));
    expect(upstream.calls).toEqual(calls);
  });

  test('whose proof comes ten times at the same time, but for one', async () => {
    const proof = await prover.prove({ url, token });
    const answers = await Promise.all(Array.from({ length: 10 }, () => proven(proof)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(401)]);
  });

  test('with two proofs', async () => {
    const [one, other] = [await prover.prove({ url, token }), await prover.prove({ url, token })];
    const body = JSON.stringify(echo);
    const lines = postLines('/mcp', body.length, { ...modern, authorization: `DPoP ${token}` }, [
      `dpop: ${one}`,
      `DPoP: ${other}`,
    ]);
    const answer = await sendRaw(sekisho.origin, lines, body);
    expect([answer.status, answer.body]).toEqual([401, expect.stringContaining('proof_invalid')]);
  });

  test('with a token that is bound to nothing as DPoP', async () => {
    const bearer = await sekisho.token();
    const proof = await prover.prove({ url, token: bearer });
    const answer = await call({ authorization: `DPoP ${bearer}`, dpop: proof });
    expect([answer.status, reasonOf(answer)]).toEqual([401, 'proof_invalid']);
    expect((await call({ authorization: `Bearer ${bearer}` })).status).toBe(200);
  });
});

test('what proxies say of scheme and host changes nothing of the URL that a proof is for (A13)', async () => {
  const forwarded = {
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.test',
    forwarded: 'host=evil.test;proto=https',
  };
  const elsewhere = await prover.prove({ url: 'https://evil.test/mcp', token });
  expect(reasonOf(await call({ ...forwarded, authorization: `DPoP ${token}`, dpop: elsewhere }))).toBe('proof_invalid');
  const here = await prover.prove({ url, token });
  expect((await call({ ...forwarded, authorization: `DPoP ${token}`, dpop: here })).status).toBe(200);
});

describe('a legacy session', () => {
  const hello = (protocolVersion: string) => ({
    ...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
    params: { protocolVersion, capabilities: {}, clientInfo: { name: 'hand', version: '1' } },
  });
  const with_ = async (method = 'POST') => ({
    authorization: `DPoP ${token}`,
    dpop: await prover.prove({ url, token, method }),
  });

  test('needs a proof of its own for each of its requests, by their method', async () => {
    const opened = await sekisho.post(hello('2025-11-25'), await with_());
    expect(opened.status).toBe(200);
    const session = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-11-25',
    };
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
    expect((await sekisho.post(list, { ...session, ...(await with_()) })).status).toBe(200);
    expect((await sekisho.post(list, { ...session, authorization: `Bearer ${token}` })).status).toBe(401);
    const end = async (headers: Record<string, string>) =>
      (await fetch(`${sekisho.origin}/mcp`, { method: 'DELETE', headers: { ...session, ...headers } })).status;
    expect(await end(await with_('POST'))).toBe(401);
    expect(await end(await with_('DELETE'))).toBe(200);
  });

  test('of 2025-03-26 sends a batch with one proof, and that proof no second time', async () => {
    const opened = await sekisho.post(hello('2025-03-26'), await with_());
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const batch = [1, 2, 3].map((id) => ({ jsonrpc: '2.0', id, method: 'tools/list', params: {} }));
    const headers = { ...session, ...(await with_()) };
    const first = await sekisho.post(batch, headers);
    expect([first.status, (await first.text()).match(/"tools":/g)]).toEqual([200, Array(3).fill('"tools":')]);
    expect((await sekisho.post(batch, headers)).status).toBe(401);
  });
});
