import { z } from 'zod';
import { duration, httpsUrl, path, scopeWord, tiers } from './config-scalars.ts';

/** The part of the grammar that says who may call: pinned signers, and what is exchanged for a run token. */

const families = { RS256: 'RSA', PS256: 'RSA', ES256: 'EC', Ed25519: 'OKP', EdDSA: 'OKP' } as const;
export type SubjectAlgorithm = keyof typeof families;

export const between = (least: number, most: number, words: string) =>
  duration.refine((ms) => ms >= least && ms <= most, `must be between ${words}`);

/** A text with `${claim}` in it; `${/a/b}` leads into an object, `${random}` is a new UUID. */
const template = z.string().min(1).max(512);
/** It begins with a word of its own, so that no rule can name the runs of another kind of caller. */
const runTemplate = template.regex(
  /^(?!dev:|ide:|run:)[a-z][a-z0-9-]*:.*\$\{/,
  'a run id begins with a word and a colon (not dev:, ide: or run:) and holds at least one ${claim}',
);
const toolPattern = z
  .string()
  .regex(/^[a-z0-9-]{1,12}\.(\*|[^\s*]{1,127}\*?)$/, 'a tool such as tickets.create_issue, or tickets.*');

/** Where the public keys of an issuer come from; nothing: OpenID discovery at the issuer. */
export const issuerKeys = z
  .strictObject({
    file: path.optional().meta({ description: 'A JWKS file, for an issuer that cannot be asked.' }),
    url: httpsUrl.optional().meta({ description: 'The JWKS, where discovery does not name it.' }),
    ca: path.optional().meta({ description: 'PEM file of the authority that signed its certificate.' }),
  })
  .refine(({ file, url, ca }) => file === undefined || (url === undefined && ca === undefined), {
    message: 'a "file" needs neither "url" nor "ca"',
  });

const issuerAlgorithms = z
  .array(z.enum(['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA']))
  .min(1)
  .refine((algs) => new Set(algs.map((alg) => families[alg])).size === 1, 'algorithms of one family only');

/** Who may use the tokens: whoever has one, or only who shows the key that it is bound to with each request. */
export const sender = z.enum(['any', 'dpop']).default('any');

export const proofRules = z
  .strictObject({
    window: between(1_000, 300_000, '1s and 5m')
      .prefault('5m')
      .meta({ description: 'How far from now a DPoP proof may say that it was made.' }),
    nonce: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether proofs need a nonce of this process; for several processes.' }),
  })
  .prefault({});

export const verify = z.strictObject({
  algs: issuerAlgorithms.default(['RS256']).meta({ description: 'Algorithms of its tokens, all of one family.' }),
  max_age: between(1_000, 86_400_000, '1s and 24h')
    .prefault('10m')
    .meta({ description: 'How long ago a token may have been issued.' }),
  skew: between(0, 30_000, '0s and 30s').prefault('30s').meta({ description: 'How far its clock may be ahead.' }),
  single_use: z
    .enum(['jti', 'none'])
    .default('jti')
    .meta({ description: 'One run token for one token; "none" where tokens carry no "jti" (SPIFFE).' }),
});

/** Kubernetes only: a signature says nothing of a pod that was deleted since (TokenReview). */
const tokenReview = z.strictObject({
  url: httpsUrl.meta({ description: 'The API server that is asked whether the token is still good (TokenReview).' }),
  ca: path.optional().meta({ description: 'PEM file of the authority that signed its certificate.' }),
  token: path.meta({ description: "File with the gateway's own service-account token, read anew each time." }),
  tiers: z
    .array(z.enum(tiers))
    .min(1)
    .optional()
    .meta({ description: 'Asked only for runs that may reach one of these tiers; left out: for all.' }),
});

const grant = z.strictObject({
  tiers: z.array(z.enum(tiers)).min(1).meta({ description: 'Tiers of servers the run may reach.' }),
  tools: z.array(toolPattern).min(1).max(100).meta({ description: 'Tools the run may call: tickets.*' }),
  scopes: z.array(scopeWord).default([]).meta({ description: 'Its scopes.' }),
  groups: z.array(z.string().min(1).max(64)).default([]).meta({ description: 'Its groups, for policies.' }),
  ttl: between(60_000, 900_000, '1m and 15m').prefault('10m').meta({ description: 'Lifetime of one run token.' }),
  deadline: between(60_000, 604_800_000, '1m and 7d')
    .prefault('6h')
    .meta({ description: 'The whole run, renewals included.' }),
  budget: z
    .strictObject({
      calls: z.int().min(0).optional().meta({ description: 'Calls of the run.' }),
      bytes: z.int().min(0).optional().meta({ description: 'Bytes of the run.' }),
    })
    .prefault({}),
});

export const runRule = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'a rule id is 1 to 32 of a-z, 0-9 and -')
    .meta({ description: 'Its name.' }),
  issuer: httpsUrl.meta({ description: 'The "iss" of its tokens, exactly.' }),
  audience: z.string().min(1).max(512).meta({ description: 'The "aud" of its tokens, exactly, and ours alone.' }),
  keys: issuerKeys.prefault({}).meta({ description: 'Where its public keys come from.' }),
  verify: verify.prefault({}),
  token_review: tokenReview.optional(),
  sender: sender.meta({ description: '"dpop": only for who proves a key (RFC 9449), and good with that key only.' }),
  match: z
    .record(z.string().min(1), z.string().min(1).max(512))
    .refine((claims) => Object.keys(claims).length > 0, 'must name at least one claim')
    .meta({ description: 'Claims and what they must be, exactly; /a/b leads into an object.' }),
  deny: z
    .record(z.string().min(1), z.array(z.string().min(1)).min(1))
    .default({})
    .meta({ description: 'Claims and what they must not be.' }),
  run: z.strictObject({
    id: runTemplate.meta({ description: 'The name of the run: "gha:${repository_id}:${run_id}".' }),
    repo: template.optional().meta({ description: 'The repository.' }),
    ref: template.optional().meta({ description: 'The branch or tag.' }),
    agent: template.optional().meta({ description: 'Which program.' }),
    user: template.optional().meta({ description: 'On whose behalf; the run itself when left out.' }),
  }),
  grant,
});

export type RunRule = z.output<typeof runRule>;
