import type { Identity } from './principal.ts';
import type { Subject } from './trust-rule.ts';

/**
 * What can be revoked. A run, a token and a key are over for good. An issuer and a rule are cut off at a moment: what was
 * issued until then is over, and who may come again after it is a matter of the config.
 */
export type RevocationKind = 'run' | 'token' | 'issuer' | 'rule' | 'key';

export interface RevocationOrder {
  readonly kind: RevocationKind;
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Epoch milliseconds after which nothing it could hit is alive; null: for good. */
  readonly until: number | null;
  readonly by: string;
}

export interface Revocation extends RevocationOrder {
  /** Grows with every change, so that another process can ask what is new. */
  readonly seq: number;
}

/** One subject token for one run. Times in epoch milliseconds. */
export interface Redemption {
  /** Digest of issuer and `jti`; null where tokens may be used again. */
  readonly use: string | null;
  /** Until when the digest is kept: as long as the token could come again. */
  readonly until: number;
  readonly run: string;
  readonly rule: string;
  readonly issuer: string;
  /** When the run ends that is opened by this; one that is open keeps the end that it has. */
  readonly deadline: number;
  /** The names under which it can have been revoked, and when it was issued: what was cut off until then is worth nothing. */
  readonly names: Names;
  readonly issued: number;
  /** True: only a run that is open, for a renewal. */
  readonly renewal: boolean;
  readonly now: number;
}

export type Redeemed =
  | { readonly state: 'open'; readonly deadline: number }
  /** `foreign`: a run of this name was opened under another rule or issuer. */
  | { readonly state: 'used' | 'revoked' | 'over' | 'foreign' };

/** The names under which something can be hit, by kind. */
export type Names = readonly (readonly [RevocationKind, string])[];

/** The token of an issuer, for a run under a rule. */
export const namesOfSubject = ({ issuer, jti, key }: Subject, run: string, rule: string): Names => [
  ['run', run],
  ['rule', rule],
  ['issuer', issuer],
  ['key', key],
  ...(jti === null ? [] : ([['token', tokenName(issuer, jti)]] as const)),
];

export const namesOf = (identity: Identity): Names => {
  const { run, token, issuer } = identity;
  const names: (readonly [RevocationKind, string])[] = [
    ['run', run.id],
    ['token', tokenName(issuer, token.id)],
    ['key', token.key],
    ['issuer', issuer],
  ];
  if (token.source !== null) names.push(['issuer', token.source]);
  if (token.rule !== null) names.push(['rule', token.rule]);
  return names;
};

/** A `jti` is unique at its issuer only. */
export const tokenName = (issuer: string, jti: string): string => `${issuer} ${jti}`;

/**
 * Was what goes by these names, issued then, revoked? The one answer for calls, streams, exchanges and renewals.
 *
 * @param find Looks in the list of revocations.
 */
export const isRevoked = (
  names: Names,
  issued: number,
  find: (kind: RevocationKind, subject: string) => RevocationOrder | undefined,
): boolean =>
  names.some(([kind, subject]) => {
    const found = find(kind, subject);
    return found !== undefined && isHit(found, issued);
  });

/** For a moment, the whole second of it, as tokens count. Whoever has a key writes what time it likes: no moment for that. */
const isHit = ({ kind, at }: RevocationOrder, issued: number): boolean =>
  kind === 'issuer' || kind === 'rule' ? issued <= at : true;
