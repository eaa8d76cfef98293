import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** Someone who may sign run tokens in the trial: the public key goes into the values, the private one stays here. */
export interface TrialSigner {
  readonly issuer: string;
  readonly jwks: { readonly keys: readonly JWK[] };
  mint(audience: string): Promise<string>;
}

export async function createTrialSigner(): Promise<TrialSigner> {
  const issuer = 'https://signer.example.com';
  const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    issuer,
    jwks: { keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] },
    mint: (audience) =>
      new SignJWT({ client_id: 'helm', run: { id: 'helm' }, agent: { id: 'helm-test' }, mcp: {} })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
        .setIssuer(issuer)
        .setSubject('run:helm')
        .setAudience(audience)
        .setJti(randomUUID())
        .setIssuedAt()
        .setNotBefore('0s')
        .setExpirationTime('5m')
        .sign(privateKey),
  };
}
