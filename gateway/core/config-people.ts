import { z } from 'zod';
import { between, issuerKeys, sender, verify } from './config-identity.ts';
import { httpsUrl, scopeWord, tiers } from './config-scalars.ts';

/** The part of the grammar that says who signs in with OAuth. */

export const personRule = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'an id is 1 to 32 of a-z, 0-9 and -')
    .meta({ description: 'Its name.' }),
  issuer: httpsUrl.meta({ description: 'Where people sign in: the "iss" of its access tokens, exactly.' }),
  audience: z.string().min(1).max(512).meta({ description: 'The "aud" of its access tokens, exactly: {url}/mcp.' }),
  keys: issuerKeys.prefault({}).meta({ description: 'Where its public keys come from.' }),
  verify: verify
    .omit({ single_use: true })
    .extend({
      max_age: between(1_000, 86_400_000, '1s and 24h')
        .prefault('2h')
        .meta({ description: 'How long ago a token may have been issued.' }),
      typ: z
        .enum(['at+jwt', 'JWT'])
        .default('at+jwt')
        .meta({ description: 'The "typ" of its access tokens; JWT where it does not follow RFC 9068.' }),
    })
    .prefault({}),
  sender: sender.meta({ description: '"dpop": only tokens that are bound to a key (RFC 9449).' }),
  scopes: z.array(scopeWord).default([]).meta({ description: 'Needed by all.' }),
  groups: z.string().min(1).max(128).default('groups').meta({ description: 'The claim that lists groups.' }),
  tiers: z
    .record(z.string().min(1), z.array(z.enum(tiers)))
    .optional()
    .meta({ description: 'Tiers of servers by group; left out: all, and the policy decides.' }),
});

export type PersonRule = z.output<typeof personRule>;
