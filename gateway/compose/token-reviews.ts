import { readFile } from 'node:fs/promises';
import type { FetchDocument } from '#gateway/adapters/egress/document.ts';
import { type Cluster, createTokenReviews } from '#gateway/adapters/issuers/token-reviews.ts';
import type { Outside } from '#gateway/compose.ts';
import type { RunRule } from '#gateway/core/config-identity.ts';
import type { TokenReviews } from '#gateway/ports/identity.ts';
import { present } from './issuer-keys.ts';

/** The clusters that trust rules ask, through the egress guard. */
export async function openTokenReviews({ config, log }: Outside, fetch: FetchDocument): Promise<TokenReviews> {
  const named = await Promise.all(config.identity.runs.map((rule) => clusterOf(rule, fetch)));
  return createTokenReviews({
    clusters: new Map(named.flat()),
    failed: (issuer, why) => log.warn({ issuer, why }, 'a cluster could not say whether a token is good'),
  });
}

/** Nothing for a rule that asks none. */
async function clusterOf(
  { id, issuer, token_review: review }: RunRule,
  fetch: FetchDocument,
): Promise<[string, Cluster][]> {
  if (!review) return [];
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  const ca = review.ca === undefined ? null : await present(issuer, review.ca, read);
  // A wrong name is said at the start; what stands in it changes.
  await present(issuer, review.token, read);
  const post: Cluster['post'] = (url, order) => fetch(url, { ca, named: true, post: order });
  return [[id, { url: review.url, post, token: () => read(review.token) }]];
}
