import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { aJob, aRule, audience, bearerGrant, exchange, sendForm, type TokenAnswer } from '#test/support/run-tokens.ts';
import { encoded } from '#test/support/signers.ts';

/** The validation table of identity-and-trust.md §1.4, row by row, at the token endpoint. */

let issuer: TestIssuer;
let stranger: TestIssuer;
let upstream: EverythingUpstream;
let sekisho: TestGateway;

beforeAll(async () => {
  [issuer, stranger, upstream] = await Promise.all([startIssuer(), startIssuer(), startEverything()]);
  sekisho = await startGateway({
    identity: { runs: [aRule(issuer, { deny: { event: ['fork', 'robot'] } })] },
    servers: { up: { tier: 'internal', url: upstream.url, tools: { '*': { action: 'read' } } } },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await issuer?.close();
  await stranger?.close();
});

/** Refused for this reason, once in the record, unseen by the upstream, and without a word of the token anywhere. */
async function expectRefused(token: string, reason: string, sent?: Promise<TokenAnswer>): Promise<void> {
  const before = (await sekisho.audit()).length;
  const calls = new Map(upstream.calls);
  const answer = await (sent ?? exchange(sekisho, token));
  expect([answer.body.reason, answer.body.access_token]).toEqual([reason, undefined]);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const lines = (await sekisho.audit()).slice(before);
  expect(lines).toMatchObject([{ method: 'oauth/token', reason, principal: null, run: null }]);
  expect(upstream.calls).toEqual(calls);
  const said = JSON.stringify([answer.body, lines, sekisho.log, await sekisho.metrics()]);
  for (const part of token.split('.').filter((text) => text.length > 20)) expect(said).not.toContain(part);
}

const now = (): number => Math.floor(Date.now() / 1000);

describe('refuses as invalid a token', () => {
  const rsaKeyText = (): string => JSON.stringify(issuer.publicJwk());
  const byHand = (header: object, claims: object, signature: string): string =>
    `${encoded(header)}.${encoded(claims)}.${signature}`;

  test.each<[string, () => Promise<string> | string]>([
    ['without a signature (alg none)', () => byHand({ alg: 'none', kid: 'key-0' }, aJob(issuer), '')],
    [
      'that says alg none over a real signature',
      async () => {
        const [, claims, signature] = (await issuer.sign(aJob(issuer))).split('.');
        return `${encoded({ alg: 'none', kid: 'key-0' })}.${claims}.${signature}`;
      },
    ],
    [
      'signed by HS256 with the public key as the secret',
      () => {
        const head = `${encoded({ alg: 'HS256', typ: 'JWT', kid: 'key-0' })}.${encoded(aJob(issuer))}`;
        return `${head}.${createHmac('sha256', rsaKeyText()).update(head).digest('base64url')}`;
      },
    ],
    [
      'of an algorithm of another family (ES256)',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        return issuer.sign(aJob(issuer), { alg: 'ES256' }, privateKey);
      },
    ],
    ['of another algorithm of the same family (PS256)', () => issuer.sign(aJob(issuer), { alg: 'PS256' })],
    ['signed by somebody else under the name of a known key', () => stranger.sign(aJob(issuer))],
    ['whose key nobody knows', () => issuer.sign(aJob(issuer), { kid: 'another' })],
    ['without a kid', () => issuer.sign(aJob(issuer), { kid: undefined })],
    ['whose kid is a path', () => issuer.sign(aJob(issuer), { kid: '../../key-0' })],
    ['whose kid is SQL', () => issuer.sign(aJob(issuer), { kid: "' OR 1=1 --" })],
    ['that brings its own key (jwk)', () => stranger.sign(aJob(issuer), { jwk: stranger.publicJwk() })],
    ['that says where its keys are (jku)', () => stranger.sign(aJob(issuer), { jku: stranger.jwksUrl })],
    ['that says where its certificate is (x5u)', () => stranger.sign(aJob(issuer), { x5u: stranger.jwksUrl })],
    ['that brings its certificate (x5c)', () => stranger.sign(aJob(issuer), { x5c: ['MIIB'] })],
    ['with an extension that must be understood (crit)', () => issuer.sign(aJob(issuer), { crit: ['b64'], b64: true })],
    ['that is an access token of somebody else', () => issuer.sign(aJob(issuer), { typ: 'dpop+jwt' })],
    ['that is a manifest', () => issuer.sign(aJob(issuer), { typ: 'mcp-manifest+jws' })],
    ['that is an ID-JAG', () => issuer.sign(aJob(issuer), { typ: 'oauth-id-jag+jwt' })],
    ['of an issuer that nobody trusts', () => stranger.sign(aJob(stranger))],
    ['of an issuer with a slash more', () => issuer.sign(aJob(issuer, { iss: `${issuer.url}/` }))],
    ['of an issuer in capitals', () => issuer.sign(aJob(issuer, { iss: issuer.url.replace('https', 'HTTPS') }))],
    [
      'whose issuer is an object with a toString of its own',
      () =>
        `${encoded({ alg: 'RS256', kid: 'key-0' })}.${encoded({ ...aJob(issuer), iss: { toString: 1, valueOf: 1 } })}.${encoded('x')}`,
    ],
    ['without an issuer', () => issuer.sign(aJob(issuer, { iss: undefined }))],
    ['for another audience', () => issuer.sign(aJob(issuer, { aud: 'https://sibling.test/oauth/token' }))],
    ['for us and another', () => issuer.sign(aJob(issuer, { aud: [audience, 'https://sibling.test'] }))],
    ['for an audience that begins as ours', () => issuer.sign(aJob(issuer, { aud: `${audience}/x` }))],
    ['for the beginning of our audience', () => issuer.sign(aJob(issuer, { aud: audience.slice(0, -1) }))],
    ['for our audience and a slash', () => issuer.sign(aJob(issuer, { aud: `${audience}/` }))],
    ['for nobody', () => issuer.sign(aJob(issuer, { aud: undefined }))],
    ['for an empty list', () => issuer.sign(aJob(issuer, { aud: [] }))],
    ['that expired', () => issuer.sign(aJob(issuer, { iat: now() - 300, exp: now() - 1 }))],
    ['that never expires', () => issuer.sign(aJob(issuer, { exp: undefined }))],
    ['that expires in the next age', () => issuer.sign(aJob(issuer, { exp: 1e300 }))],
    ['that lives longer than a day', () => issuer.sign(aJob(issuer, { exp: now() + 90_000 }))],
    ['that expires at a text', () => issuer.sign(aJob(issuer, { exp: String(now() + 300) }))],
    ['that was never issued', () => issuer.sign(aJob(issuer, { iat: undefined }))],
    ['that was issued in the future', () => issuer.sign(aJob(issuer, { iat: now() + 120, exp: now() + 300 }))],
    ['that is not valid yet', () => issuer.sign(aJob(issuer, { nbf: now() + 120 }))],
    ['that is older than is allowed', () => issuer.sign(aJob(issuer, { iat: now() - 700, exp: now() + 300 }))],
    ['that is bound to a key', () => issuer.sign(aJob(issuer, { cnf: { jkt: 'x' } }))],
    ['without a jti', () => issuer.sign(aJob(issuer, { jti: undefined }))],
    ['whose jti is a number', () => issuer.sign(aJob(issuer, { jti: 7 }))],
    ['in two parts', async () => (await issuer.sign(aJob(issuer))).split('.').slice(0, 2).join('.')],
    ['in four parts', async () => `${await issuer.sign(aJob(issuer))}.x`],
    ['with padding', async () => `${await issuer.sign(aJob(issuer))}=`],
    ['in the other base64', async () => (await issuer.sign(aJob(issuer))).replaceAll(/[-_]/g, '+')],
    [
      'with a member twice',
      async () => {
        const [header, , signature] = (await issuer.sign(aJob(issuer))).split('.');
        const text = JSON.stringify(aJob(issuer)).replace('{', `{"aud":"x",`);
        return `${header}.${encoded(text)}.${signature}`;
      },
    ],
    [
      'whose payload is no JSON',
      async () => {
        const [header, , signature] = (await issuer.sign(aJob(issuer))).split('.');
        return `${header}.${encoded('nonsense')}.${signature}`;
      },
    ],
    ['that is encrypted', () => `${encoded({ alg: 'dir', enc: 'A256GCM', kid: 'key-0' })}..aaaa.bbbb.cccc`],
  ])('%s', async (_, make) => {
    await expectRefused(await make(), 'subject_invalid');
  });

  test('whose payload was changed', async () => {
    const [header, , signature] = (await issuer.sign(aJob(issuer))).split('.');
    await expectRefused(
      `${header}.${encoded(aJob(issuer, { iat: now(), exp: now() + 300 }))}.${signature}`,
      'subject_invalid',
    );
  });
});

test('the header of a token never makes the gateway fetch anything', async () => {
  const before = stranger.fetched();
  for (const header of [{ jku: stranger.jwksUrl }, { x5u: stranger.jwksUrl }]) {
    await exchange(sekisho, await stranger.sign(aJob(stranger), header));
    await exchange(sekisho, await stranger.sign(aJob(issuer), header));
  }
  expect(stranger.fetched()).toBe(before);
});

describe('finds no rule for a token', () => {
  test.each<[string, Record<string, unknown>]>([
    ['of another project', { project: '421' }],
    ['whose claim is a list of the right value', { project: ['42'] }],
    ['without the claim', { project: undefined }],
    ['whose claim only begins so', { project: '42 ' }],
    ['of an event that is denied', { event: 'fork' }],
    ['of an event in a form that cannot be judged', { event: ['fork'] }],
    ['whose run would have a name with a separator in it', { job: 'a b' }],
    ['whose run would have a name out of a template', { job: '${ref}' }],
    ['whose run would have a name in look-alikes', { job: 'аdmin' }],
    ['whose run would have no name', { job: undefined }],
    ['whose run would have a name of 300 characters', { job: 'x'.repeat(300) }],
    ['whose ref is a new line', { ref: 'a\nb' }],
  ])('%s', async (_, over) => {
    await expectRefused(await issuer.sign(aJob(issuer, over)), 'rule_unmatched');
  });

  test('and says 403, without saying which claim it was', async () => {
    const answer = await exchange(sekisho, await issuer.sign(aJob(issuer, { project: '7' })));
    expect([answer.status, answer.body.error]).toEqual([403, 'unauthorized_client']);
    expect(JSON.stringify(answer.body)).not.toMatch(/project|42/);
    expect(JSON.stringify(sekisho.log)).toContain('"claim":"project"');
  });
});

test('one list of audiences of one is what Kubernetes sends, and is taken; a number matches its text', async () => {
  expect((await exchange(sekisho, await issuer.sign(aJob(issuer, { aud: [audience], project: 42 })))).status).toBe(200);
});

test('a token is good once, also at the same time (A7)', async () => {
  const token = await issuer.sign(aJob(issuer));
  const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(sekisho, token)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.reason === 'subject_used')).toHaveLength(9);
  await expectRefused(token, 'subject_used');
});

describe('refuses a request', () => {
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  const form = (fields: Record<string, string>, headers = {}) =>
    sendForm(sekisho.origin, '/oauth/token', fields, headers);

  test.each<[string, string, () => Promise<TokenAnswer>]>([
    ['without a grant', 'grant_malformed', () => form({})],
    ['of another grant', 'grant_unsupported', () => form({ grant_type: 'client_credentials' })],
    [
      'with a parameter twice',
      'grant_malformed',
      () => sendForm(sekisho.origin, '/oauth/token', `grant_type=${grant}&grant_type=${grant}&assertion=x`),
    ],
    ['without a token', 'grant_malformed', () => form({ grant_type: grant })],
    ['with 8 KiB and one byte of token', 'grant_malformed', () => bearerGrant(sekisho, 'x'.repeat(8193))],
    ['with 33 KiB', 'grant_malformed', () => bearerGrant(sekisho, 'x'.repeat(33 * 1024))],
    [
      'for another subject token type',
      'grant_malformed',
      () => exchange(sekisho, 'x', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }),
    ],
    ['with an actor token', 'grant_malformed', () => exchange(sekisho, 'x', { actor_token: 'y' })],
    ['with a client secret', 'grant_malformed', () => bearerGrant(sekisho, 'x', { client_secret: 'y' })],
    [
      'for a refresh token',
      'grant_malformed',
      () => exchange(sekisho, 'x', { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    ],
    [
      'for another resource',
      'target_unknown',
      () => bearerGrant(sekisho, 'x', { resource: 'https://sibling.test/mcp' }),
    ],
    [
      'as JSON',
      'grant_malformed',
      () => sendForm(sekisho.origin, '/oauth/token', '{}', { 'content-type': 'application/json' }),
    ],
    [
      'with garbage after the content type',
      'grant_malformed',
      () =>
        form({ grant_type: grant, assertion: 'x' }, { 'content-type': 'application/x-www-form-urlencoded garbage' }),
    ],
    [
      'with a tab in the content type',
      'grant_malformed',
      () => form({ grant_type: grant, assertion: 'x' }, { 'content-type': 'application/x-www-form-urlencoded\ta' }),
    ],
    ['that is compressed', 'grant_malformed', () => form({ grant_type: grant }, { 'content-encoding': 'gzip' })],
    ['in bytes that are no ASCII', 'grant_malformed', () => sendForm(sekisho.origin, '/oauth/token', `grant_type=é`)],
    [
      'of a browser on another page',
      'origin_forbidden',
      () => form({ grant_type: grant }, { origin: 'https://evil.test' }),
    ],
  ])('%s', async (_, reason, send) => {
    await expectRefused('no.token.here', reason, send());
  });
});
