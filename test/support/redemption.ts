import type { Redemption } from '#gateway/core/revocation.ts';

/** A token redeemed at 1,000 for run r1, which ends at 1,000,000. */
export function aRedemption(over: Partial<Redemption> = {}): Redemption {
  const which = { run: 'ci:r1', rule: 'ci', issuer: 'https://ci.test', ...over };
  return {
    ...{ use: 'digest', until: 100_000, deadline: 1_000_000, issued: 900, renewal: false, now: 1000 },
    names: [
      ['run', which.run],
      ['rule', which.rule],
      ['issuer', which.issuer],
    ],
    ...which,
  };
}
