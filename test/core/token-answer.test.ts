import { describe, expect, test } from 'vitest';
import { metadataUrls, readTokenEndpoint } from '#gateway/core/authorization-server.ts';
import { exchangeForm, readTokenAnswer } from '#gateway/core/token-answer.ts';

const answered = (over: object, status = 200) =>
  readTokenAnswer(
    status,
    JSON.stringify({ access_token: 'a.b-c_d~+/=', token_type: 'bearer', expires_in: 60, ...over }),
  );

describe('the answer of a token endpoint', () => {
  test('is a token for as long as it says, five minutes where it does not, and a day at most', () => {
    expect(answered({})).toEqual({ token: 'a.b-c_d~+/=', expiresIn: 60 });
    expect(answered({ expires_in: undefined })).toMatchObject({ expiresIn: 300 });
    expect(answered({ expires_in: 1e9 })).toMatchObject({ expiresIn: 86_400 });
  });

  test.each([
    { access_token: undefined },
    { access_token: '' },
    { access_token: 'a b' },
    { access_token: 'a\nb' },
    { access_token: 'ä' },
    { access_token: 'x'.repeat(8193) },
    { access_token: ['a'] },
    { token_type: 'N_A' },
    { token_type: undefined },
    { issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    { expires_in: 0 },
    { expires_in: -1 },
    { expires_in: '60' },
    { expires_in: null },
  ])('that is no usable token is none: %j', (over) => {
    expect(answered(over)).toHaveProperty('why');
  });

  test.each(['', 'null', '[]', '{"access_token":"a","access_token":"b","token_type":"bearer"}', '{"a":'])(
    'that two readers could read apart is none: %s',
    (text) => {
      expect(readTokenAnswer(200, text)).toEqual({ why: 'answered something that is not JSON' });
    },
  );

  test('that is an error is told by its code, if it is one of the specifications, and by nothing else of it', () => {
    expect(answered({ error: 'invalid_client' }, 401)).toEqual({ why: 'answered HTTP 401 (invalid_client)' });
    expect(answered({ error: 'the secret was x' }, 400)).toEqual({ why: 'answered HTTP 400' });
    expect(readTokenAnswer(502, '<html>')).toEqual({ why: 'answered HTTP 502' });
    // A token beside an error, or with another status, is not believed.
    expect(answered({}, 201)).toEqual({ why: 'answered HTTP 201' });
  });
});

describe('an authorization server', () => {
  test('is looked for where RFC 8414 and OpenID put its metadata', () => {
    expect(metadataUrls('https://as.test')).toEqual([
      'https://as.test/.well-known/oauth-authorization-server',
      'https://as.test/.well-known/openid-configuration',
    ]);
    expect(metadataUrls('https://as.test/tenant/')).toEqual([
      'https://as.test/.well-known/oauth-authorization-server/tenant',
      'https://as.test/.well-known/openid-configuration/tenant',
      'https://as.test/tenant/.well-known/openid-configuration',
    ]);
  });

  test.each([
    ['https://as.test', { issuer: 'https://as.test', token_endpoint: 'https://as.test/token' }, 'url'],
    ['https://as.test', { issuer: 'https://as.test/', token_endpoint: 'https://as.test/token' }, 'why'],
    ['https://as.test', { token_endpoint: 'https://as.test/token' }, 'why'],
    ['https://as.test', { issuer: 'https://as.test' }, 'why'],
    ['https://as.test', { issuer: 'https://as.test', token_endpoint: 'http://as.test/token' }, 'why'],
    ['https://as.test', { issuer: 'https://as.test', token_endpoint: 'https://user@as.test/token' }, 'why'],
  ])('of %s is believed or not by its metadata %j', (issuer, metadata, what) => {
    expect(readTokenEndpoint(JSON.stringify(metadata), issuer)).toHaveProperty(what);
  });
});

test('an exchange asks for an access token, for a JWT of ours (RFC 8693)', () => {
  expect(exchangeForm({ token: 'a.b.c', expiresIn: 60 })).toEqual({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: 'a.b.c',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  });
});
