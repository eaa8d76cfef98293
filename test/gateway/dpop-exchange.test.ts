import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aProver, type Prover } from '#test/support/dpop.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { heard, reasonOf } from '#test/support/messages.ts';
import { type OpenIdProvider, startOpenIdProvider } from '#test/support/openid-provider.ts';
import { aJob, aRule, claimsOf, sendForm, type TokenAnswer } from '#test/support/run-tokens.ts';

/** Keys that run tokens are bound to, at the token endpoint (RFC 9449 §5), and tokens of people that are bound elsewhere. */

const origin = 'http://127.0.0.1:7410';
const tokenUrl = `${origin}/oauth/token`;
const url = `${origin}/mcp`;

let issuer: TestIssuer;
let sekisho: TestGateway;
let nonced: TestGateway;
let provider: OpenIdProvider;
let prover: Prover;

const person = () => ({
  ...{
    id: 'idp',
    issuer: issuer.url,
    audience: url,
    keys: { ca: issuer.caFile },
    verify: { typ: 'JWT' },
    sender: 'dpop',
  },
});

beforeAll(async () => {
  [issuer, prover] = await Promise.all([startIssuer(), aProver()]);
  provider = await startOpenIdProvider({ client: 'ide', resource: url, groups: () => [] });
  const real = { id: 'real', issuer: provider.url, audience: url, keys: { ca: provider.caFile }, sender: 'dpop' };
  const runs = [aRule(issuer), aRule(issuer, { id: 'bound', match: { project: '43' }, sender: 'dpop' })];
  [sekisho, nonced] = await Promise.all([
    startGateway({ identity: { runs, people: [person(), real] } }),
    startGateway({ identity: { runs, dpop: { nonce: true } } }),
  ]);
});

afterAll(async () => {
  for (const one of [sekisho, nonced, issuer, provider]) await one?.close();
});

const grant = 'urn:ietf:params:oauth:grant-type:';

const ask = (subject: string, dpop: string | null, at = sekisho): Promise<TokenAnswer> => {
  const form = { grant_type: `${grant}jwt-bearer`, assertion: subject };
  return sendForm(at.origin, '/oauth/token', form, dpop === null ? {} : { dpop });
};

const renew = (token: string, dpop: string | null): Promise<TokenAnswer> => {
  const subject_token_type = 'urn:ietf:params:oauth:token-type:access_token';
  const form = { grant_type: `${grant}token-exchange`, subject_token: token, subject_token_type };
  return sendForm(sekisho.origin, '/oauth/token', form, dpop === null ? {} : { dpop });
};

const toToken = (over: Record<string, unknown> = {}, by = prover) => by.prove({ url: tokenUrl }, over);
const aSubject = (project = '43') => issuer.sign(aJob(issuer, { project }));
const refusal = ({ status, body }: TokenAnswer) => [status, body.error, body.reason, body.access_token];

describe('a run token', () => {
  test.each(['42', '43'])('is bound to the key that was shown (project %s), and says so', async (project) => {
    const { body } = await ask(await aSubject(project), await toToken());
    expect([body.token_type, claimsOf(body.access_token).cnf]).toEqual(['DPoP', { jkt: prover.jkt }]);
  });

  test('is a bearer token where no key was shown and its rule needs none', async () => {
    const { body } = await ask(await aSubject('42'), null);
    expect([body.token_type, claimsOf(body.access_token).cnf]).toEqual(['Bearer', undefined]);
  });

  test('is refused without a proof where its rule says dpop, and the subject is not used up by that', async () => {
    const subject = await aSubject();
    expect(refusal(await ask(subject, null))).toEqual([400, 'invalid_dpop_proof', 'proof_missing', undefined]);
    expect((await ask(subject, await toToken())).status).toBe(200);
  });

  test.each<[string, () => Promise<string>]>([
    ['for a call', () => prover.prove({ url })],
    ['for another method', () => toToken({ htm: 'GET' })],
    ['for where it came in', () => prover.prove({ url: `${sekisho.origin}/oauth/token` })],
    ['that is ten minutes early', () => toToken({ iat: Math.floor(Date.now() / 1000) + 600 })],
    ['that is ten minutes old', () => toToken({ iat: Math.floor(Date.now() / 1000) - 600 })],
    ['that somebody else signed', async () => prover.prove({ url: tokenUrl }, {}, {}, (await aProver()).key)],
    ['that is nonsense', async () => 'nonsense'],
    ['that came twice', async () => `${await toToken()}, ${await toToken()}`],
  ])('is refused for a proof %s, also where none is needed', async (_, proof) => {
    for (const project of ['42', '43']) {
      const subject = await aSubject(project);
      const before = (await sekisho.audit()).length;
      expect(refusal(await ask(subject, await proof()))).toEqual([
        400,
        'invalid_dpop_proof',
        'proof_invalid',
        undefined,
      ]);
      expect((await sekisho.audit()).slice(before)).toMatchObject([{ method: 'oauth/token', reason: 'proof_invalid' }]);
      expect((await ask(subject, await toToken())).status).toBe(200);
    }
  });

  test('is given for a proof once', async () => {
    const proof = await toToken();
    expect((await ask(await aSubject(), proof)).status).toBe(200);
    expect(refusal(await ask(await aSubject(), proof))).toEqual([
      400,
      'invalid_dpop_proof',
      'proof_invalid',
      undefined,
    ]);
  });
});

test('a token that was used up fills the memory of proofs for nobody but itself', async () => {
  const subject = await aSubject();
  expect((await ask(subject, await toToken())).status).toBe(200);
  const reasons: unknown[] = [];
  for (let n = 0; n < 101; n++) reasons.push((await ask(subject, await toToken({}, await aProver()))).body.reason);
  expect(reasons.filter((reason) => reason === 'subject_used')).toHaveLength(99);
  expect(reasons.filter((reason) => reason === 'overloaded')).toHaveLength(2);
  expect((await ask(await aSubject(), await toToken())).status).toBe(200);
});

describe('a renewal of a bound token', () => {
  const aToken = async () => String((await ask(await aSubject('42'), await toToken())).body.access_token);

  test('needs a proof of the same key, and is bound to it again', async () => {
    const { body } = await renew(await aToken(), await toToken());
    expect([body.token_type, claimsOf(body.access_token).cnf]).toEqual(['DPoP', { jkt: prover.jkt }]);
  });

  test('is refused to who has the token alone, or another key, and does not use it up (A10)', async () => {
    const token = await aToken();
    expect(refusal(await renew(token, null))).toEqual([400, 'invalid_dpop_proof', 'proof_missing', undefined]);
    const thief = await renew(token, await toToken({}, await aProver()));
    expect(refusal(thief)).toEqual([400, 'invalid_dpop_proof', 'proof_invalid', undefined]);
    expect((await renew(token, await toToken())).status).toBe(200);
  });

  test('may bind a token that was not', async () => {
    const bearer = String((await ask(await aSubject('42'), null)).body.access_token);
    expect((await renew(bearer, await toToken())).body.token_type).toBe('DPoP');
  });
});

test('where a nonce is asked for, it comes with the refusal, at both doors', async () => {
  const subject = await aSubject();
  const first = await ask(subject, await toToken(), nonced);
  const nonce = first.headers.get('dpop-nonce') ?? '';
  expect(refusal(first)).toEqual([400, 'use_dpop_nonce', 'proof_nonce', undefined]);
  const given = await ask(subject, await prover.prove({ url: tokenUrl, nonce }), nonced);
  expect(given.status).toBe(200);
  const token = String(given.body.access_token);
  const hello = {
    ...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand', version: '1' } },
  };
  const call = async (more: { nonce?: string }) => {
    const dpop = await prover.prove({ url, token, ...more });
    return heard(await nonced.post(hello, { authorization: `DPoP ${token}`, dpop }));
  };
  const refused = await call({});
  expect([refused.status, reasonOf(refused)]).toEqual([401, 'proof_nonce']);
  expect(refused.headers.get('www-authenticate')).toContain('DPoP realm="sekisho", error="use_dpop_nonce"');
  // It changes with time, perhaps just now; the one before is good for a while.
  const told = refused.headers.get('dpop-nonce') ?? '';
  expect((await call({ nonce: told })).status).toBe(200);
  expect((await call({ nonce })).status).toBe(200);
  expect(reasonOf(await call({ nonce: 'made-up' }))).toBe('proof_nonce');
});

describe('somebody whose access token is bound to a key by their own provider', () => {
  const hello = {
    ...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand', version: '1' } },
  };
  const aToken = (cnf?: object) => issuer.sign({ iss: issuer.url, aud: url, sub: 'ada', ...(cnf ? { cnf } : {}) });
  const call = async (headers: Record<string, string>) => heard(await sekisho.post(hello, headers));

  test('calls with proofs, one for each request, also when the token is known', async () => {
    const token = await aToken({ jkt: prover.jkt });
    for (let n = 0; n < 2; n++) {
      const dpop = await prover.prove({ url, token });
      expect((await call({ authorization: `DPoP ${token}`, dpop })).status).toBe(200);
      expect(reasonOf(await call({ authorization: `DPoP ${token}`, dpop }))).toBe('proof_invalid');
    }
    expect(reasonOf(await call({ authorization: `Bearer ${token}` }))).toBe('proof_missing');
  });

  test('calls with a token that a real provider (oidc-provider) bound', async () => {
    const prove = (to: string) => prover.prove({ url: to });
    const { accessToken: token } = await provider.signIn('ada', 'mcp:read', prove);
    expect(claimsOf(token).cnf).toEqual({ jkt: prover.jkt });
    const dpop = await prover.prove({ url, token });
    expect((await call({ authorization: `DPoP ${token}`, dpop })).status).toBe(200);
    expect(reasonOf(await call({ authorization: `Bearer ${token}` }))).toBe('proof_missing');
    const { accessToken: bearer } = await provider.signIn('ada', 'mcp:read');
    expect(reasonOf(await call({ authorization: `Bearer ${bearer}` }))).toBe('token_invalid');
  });

  test.each<[string, object | undefined, string]>([
    ['bound to nothing, where their issuer says dpop', undefined, 'token_invalid'],
    ['bound to a certificate', { 'x5t#S256': 'x'.repeat(43) }, 'token_invalid'],
    ['bound to somebody else', { jkt: 'x'.repeat(43) }, 'proof_invalid'],
  ])('is refused with a token %s', async (_, cnf, reason) => {
    const token = await aToken(cnf);
    const answer = await call({ authorization: `DPoP ${token}`, dpop: await prover.prove({ url, token }) });
    expect([answer.status, reasonOf(answer)]).toEqual([401, reason]);
  });
});

test('a token of a platform that is bound to a key is no subject: its key was not shown here', async () => {
  const subject = await issuer.sign(aJob(issuer, { cnf: { jkt: prover.jkt } }));
  expect((await ask(subject, await toToken())).body.reason).toBe('subject_invalid');
});

test('clients read that tokens must be bound, and which algorithms proofs may have', async () => {
  const resource = await (await fetch(`${sekisho.origin}/.well-known/oauth-protected-resource/mcp`)).json();
  expect(resource).toMatchObject({
    dpop_bound_access_tokens_required: true,
    dpop_signing_alg_values_supported: ['Ed25519', 'EdDSA', 'ES256'],
  });
  const metadata = await (await fetch(`${sekisho.origin}/.well-known/oauth-authorization-server`)).json();
  expect(metadata).toMatchObject({ dpop_signing_alg_values_supported: ['Ed25519', 'EdDSA', 'ES256'] });
});
