import { describe, expect, test } from 'vitest';
import { signatureFits } from '#gateway/adapters/manifests/envelope.ts';
import type { PublicJwk } from '#gateway/core/jwk.ts';

interface Vector {
  readonly key: PublicJwk;
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

const vectors: readonly (readonly [string, Vector])[] = [
  [
    'RFC 7515, appendix A.3 (ES256)',
    {
      key: {
        kty: 'EC',
        crv: 'P-256',
        kid: 'a.3',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
      protected: 'eyJhbGciOiJFUzI1NiJ9',
      payload: 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
      signature: 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    },
  ],
  [
    'RFC 8037, appendix A.5 (Ed25519)',
    {
      key: { kty: 'OKP', crv: 'Ed25519', kid: 'a.5', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      protected: 'eyJhbGciOiJFZERTQSJ9',
      payload: 'RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc',
      signature: 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    },
  ],
];

describe.each(vectors)('the signature of %s', (_, { key, ...jws }) => {
  const fits = (part: Partial<Vector>): boolean => signatureFits({ ...jws, ...part }, key);

  test('fits', () => {
    expect(fits({})).toBe(true);
  });

  test.each<keyof Omit<Vector, 'key'>>(['protected', 'payload', 'signature'])(
    'does not fit when any one character of its %s is another',
    (part) => {
      const text = jws[part];
      for (let at = 0; at < text.length - 1; at++) {
        const other = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
        expect(fits({ [part]: other }), `at ${at}`).toBe(false);
      }
    },
  );
});
