import { expect, test } from 'vitest';
import type { HttpRequest } from '#gateway/adapters/http/carrier.ts';
import { credentialOf } from '#gateway/adapters/http/credential.ts';

const aRequest = (
  headers: Record<string, string>,
  rawHeaders: string[] = Object.entries(headers).flat(),
): HttpRequest => ({
  ...{ method: 'DELETE', url: '/mcp?a=b', headers, rawHeaders, body: Buffer.alloc(0) },
});
const of = (headers: Record<string, string>, rawHeaders?: string[]) => credentialOf(aRequest(headers, rawHeaders));
const nothing = { token: null, proof: null };

test.each([
  ['Bearer a.b.c', 'a.b.c'],
  ['bearer a.b.c', 'a.b.c'],
  ['BEARER   a.b.c ', 'a.b.c'],
])('%j is a token that came alone, also beside a proof', (authorization, token) => {
  expect(of({ authorization })).toEqual({ token, proof: null });
  expect(of({ authorization, dpop: 'p' })).toEqual({ token, proof: null });
});

test.each(['DPoP a.b.c', 'dpop a.b.c', 'DPOP  a.b.c '])(
  '%j is a token that came with what proves its key',
  (authorization) => {
    const presented = { method: 'DELETE', path: '/mcp' };
    expect(of({ authorization, dpop: 'p' })).toEqual({ token: 'a.b.c', proof: { proof: 'p', ...presented } });
    expect(of({ authorization })).toEqual({ token: 'a.b.c', proof: { proof: null, ...presented } });
  },
);

test.each(['Basic a', 'Bearer', 'DPoP', 'Bearera.b.c', 'DPoPx a', ' Bearer a', 'Token a', 'GNAP a'])(
  '%j is none',
  (authorization) => {
    expect(of({ authorization })).toEqual(nothing);
  },
);

test('no header is none, and so are two: a proxy may have read the other one', () => {
  expect(of({})).toEqual(nothing);
  expect(of({ dpop: 'p' })).toEqual(nothing);
  const authorization = 'Bearer a';
  expect(of({ authorization }, ['Authorization', 'Bearer a', 'authorization', 'DPoP b'])).toEqual(nothing);
});
