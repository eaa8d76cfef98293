import type { RunRule } from '#gateway/core/config-identity.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { readReview, reviewBody, reviewPath } from '#gateway/core/token-review.ts';
import type { Subject } from '#gateway/core/trust-rule.ts';
import type { TokenReviews } from '#gateway/ports/identity.ts';

/** How one cluster is asked. */
export interface Cluster {
  /** The URL of its API server. */
  readonly url: string;
  /** Posts to it; throws an Error that quotes nothing. */
  readonly post: (url: string, order: { readonly body: string; readonly authorization: string }) => Promise<string>;
  /** The gateway's own token there, anew each time: it is rotated within the hour. */
  readonly token: () => Promise<string>;
}

/** Questions under way at one cluster. */
const mostWaiting = 64;

/** Asks clusters whether tokens that they gave out still stand for something that is there. */
export function createTokenReviews(options: {
  /** By the name of the rule that asks. */
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly failed: (issuer: string, why: string) => void;
}): TokenReviews {
  const { clusters, failed } = options;
  const waiting = new Map<string, number>();

  async function ask(
    { url, post, token }: Cluster,
    given: string,
    rule: RunRule,
    subject: Subject,
  ): Promise<Refusal | null> {
    // Below the path, if there is one: some clusters are reached through a proxy that has many.
    const at = `${url.replace(/\/$/, '')}${reviewPath}`;
    const own = (await token()).trim();
    const text = await post(at, { body: reviewBody(given, rule.audience), authorization: `Bearer ${own}` });
    const review = readReview(text, rule.audience, subject);
    if (review === 'alive') return null;
    if (review === 'gone') return refuse('subject_invalid', 'Its cluster does not know it any more.');
    throw new Error(review.why);
  }

  return {
    async judge(given, rule, subject) {
      const cluster = clusters.get(rule.id);
      if (!cluster) throw new Error('a rule asks a cluster that nobody named');
      const before = waiting.get(rule.id) ?? 0;
      if (before >= mostWaiting) return refuse('overloaded', 'Too many wait for this cluster: try again later.');
      waiting.set(rule.id, before + 1);
      try {
        return await ask(cluster, given, rule, subject);
      } catch (fault) {
        failed(rule.issuer, fault instanceof Error ? fault.message : String(fault));
        return refuse(
          'issuer_unavailable',
          'Its cluster cannot say whether it is still good: try again in a few seconds.',
        );
      } finally {
        waiting.set(rule.id, (waiting.get(rule.id) ?? 1) - 1);
      }
    },
  };
}
