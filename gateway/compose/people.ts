import { readFile } from 'node:fs/promises';
import { createFetchDocument } from '#gateway/adapters/egress/document.ts';
import type { Egress } from '#gateway/adapters/egress/egress.ts';
import type { ResourceFacts } from '#gateway/adapters/http/resource-metadata.ts';
import { createKeyCache } from '#gateway/adapters/issuers/key-cache.ts';
import { badSignature, createSubjects } from '#gateway/adapters/issuers/subject-tokens.ts';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { createSlots } from '#gateway/adapters/tokens/slots.ts';
import { type People, signatureChecks } from '#gateway/adapters/tokens/verify.ts';
import type { Outside } from '#gateway/compose.ts';
import type { Config } from '#gateway/core/config.ts';
import { issuerOf } from '#gateway/core/jwt.ts';
import { personOf } from '#gateway/core/person.ts';
import { isRefusal, refuse } from '#gateway/core/refusals.ts';
import { loaderOf } from './issuer-keys.ts';

/** Whoever signs in with OAuth; null where the config names no such issuer. The gateway is a resource server, no more. */
export async function openPeople({ config, log }: Outside, egress: Egress): Promise<People | null> {
  const { people } = config.identity;
  if (people.length === 0) return null;
  const fetchDocument = createFetchDocument(egress);
  const issuers = await Promise.all(
    people.map(async ({ issuer, audience, keys, verify }) => {
      const { algs, max_age: maxAge, skew, typ } = verify;
      const load = await loaderOf({ issuer, keys }, fetchDocument, (path) => readFile(path, 'utf8'));
      const failed = (why: string): void => log.warn({ issuer, why }, 'the keys of an issuer could not be had');
      const profile = { issuer, audience, algs, maxAge, skew, singleUse: 'none', bound: true, types: [typ] } as const;
      return { profile, keys: createKeyCache({ load, failed, now: Date.now }) };
    }),
  );
  const subjects = createSubjects(issuers, createSlots(signatureChecks));
  const byIssuer = new Map(people.map((rule) => [rule.issuer, rule]));
  return {
    knows: (token) => byIssuer.has(issuerOf(token)),
    async prove(token, now) {
      const subject = await subjects.verify(token, now);
      if (isRefusal(subject)) {
        const verdict = subject.refused === 'subject_invalid' ? refuse('token_invalid', subject.detail) : subject;
        return { verdict, keep: subject === badSignature };
      }
      const rule = byIssuer.get(subject.issuer);
      if (!rule) throw new Error('an issuer was verified that nobody named');
      return { verdict: personOf(subject, rule, hashing.sha256), keep: true };
    },
  };
}

/** What hosts are told; null where nobody signs in. */
export function resourceFacts({ identity, url }: Config): ResourceFacts | null {
  const { people, runs } = identity;
  if (people.length === 0) return null;
  const { origin } = new URL(url);
  const issuers = [...new Set(people.map(({ issuer }) => issuer))];
  return {
    resource: `${origin}/mcp`,
    // People first: a host takes the first one, and at our own token service nobody can sign in.
    authorizationServers: runs.length > 0 ? [...issuers, origin] : issuers,
    scopes: [...new Set(people.flatMap(({ scopes }) => scopes))],
    bound: people.every(({ sender }) => sender === 'dpop'),
  };
}
