import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, SignJWT } from 'jose';

/** Somebody with a key of their own, who can prove it (RFC 9449). */
export interface Prover {
  /** What tokens are bound to. */
  readonly jkt: string;
  readonly jwk: Record<string, unknown>;
  readonly key: KeyObject;
  /** A proof for this request; claims and header as they ought to be unless they say otherwise, `undefined` leaves one out. */
  prove(
    request: { readonly method?: string; readonly url: string; readonly token?: string; readonly nonce?: string },
    claims?: Record<string, unknown>,
    header?: Record<string, unknown>,
    key?: KeyObject,
  ): Promise<string>;
}

const kinds = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const;

const present = (members: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

export const athOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

let proofs = 0;

export async function aProver(alg: keyof typeof kinds = 'ES256'): Promise<Prover> {
  const { privateKey, publicKey } = kinds[alg]();
  const jwk = publicKey.export({ format: 'jwk' }) as Record<string, unknown>;
  return {
    ...{ jkt: await calculateJwkThumbprint(jwk), jwk, key: privateKey },
    prove({ method = 'POST', url, token, nonce }, claims = {}, header = {}, key = privateKey) {
      const ath = token === undefined ? undefined : athOf(token);
      const usual = { htm: method, htu: url, iat: Math.floor(Date.now() / 1000), jti: `proof-${++proofs}`, ath, nonce };
      return new SignJWT(present({ ...usual, ...claims }))
        .setProtectedHeader(present({ typ: 'dpop+jwt', alg, jwk, ...header }) as { alg: string })
        .sign(key);
    },
  };
}
