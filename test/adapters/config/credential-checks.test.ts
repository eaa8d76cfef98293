import { expect, test } from 'vitest';
import { contradictions } from '#gateway/adapters/config/checks.ts';
import { configSchema } from '#gateway/core/config.ts';

const grant = { kind: 'client_credentials', issuer: 'https://as.test', client: 'sekisho', secret: 'x' };

/** What is wrong with a config in which a server has this credential. */
function wrongWith(credential: object, server: object = { url: 'https://mcp.test/mcp' }): string {
  const servers = { tickets: { tier: 'internal', ...server, credential } };
  const read = configSchema.safeParse({ version: 1, policy: { path: 'p' }, identity: { development: true }, servers });
  const found = read.success ? contradictions(read.data) : read.error.issues;
  return JSON.stringify(found.map(({ path, message }) => `${path.join('.')}: ${message}`));
}

const exchanged = { ...grant, kind: 'token_exchange', assertion_key: 'assertion.jwk' };

test.each([
  grant,
  { ...grant, secret: undefined, key: 'client.jwk' },
  { ...grant, scope: ['a', 'b:c'] },
  exchanged,
  { kind: 'jwt_assertion', assertion_key: 'assertion.jwk' },
])('a credential may be %j', (credential) => {
  expect(wrongWith(credential)).toBe('[]');
});

test.each<[string, object, string]>([
  ['by secret and by key', { ...grant, key: 'client.jwk' }, 'say \\"secret\\" or \\"key\\", and not both'],
  ['by neither', { ...grant, secret: undefined }, 'say \\"secret\\" or \\"key\\", and not both'],
  ['of an issuer over http', { ...grant, issuer: 'http://as.test' }, 'is not an https URL'],
  ['of an issuer inside', { ...grant, issuer: 'https://10.0.0.1' }, 'credential.issuer: is no address'],
  [
    'of a token endpoint inside',
    { ...grant, token_url: 'https://169.254.169.254/t' },
    'credential.token_url: is no address',
  ],
  ['with a line break in its secret', { ...grant, secret: 'a\r\nb' }, 'printable ASCII'],
  ['with a scope of two words', { ...grant, scope: ['a b'] }, 'credential.scope.0'],
  ['exchanged without a key', { ...exchanged, assertion_key: undefined }, 'credential.assertion_key'],
  [
    'exchanged by neither secret nor key',
    { ...exchanged, secret: undefined },
    'say \\"secret\\" or \\"key\\", and not both',
  ],
  ['of an exchange inside', { ...exchanged, issuer: 'https://127.0.0.1' }, 'credential.issuer: is no address'],
  ['with what is not known', { ...grant, password: 'x' }, 'password'],
  ['that passes on what the caller came with', { kind: 'passthrough' }, 'credential.kind'],
])('a credential cannot be %s', (_, credential, says) => {
  expect(wrongWith(credential)).toContain(says);
});

test('a program has no credential of an authorization server', () => {
  expect(wrongWith(grant, { command: ['x'] })).toContain('is for a server with a \\"url\\"');
});
