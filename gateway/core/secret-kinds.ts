/**
 * Kinds of text that should not travel: credentials by the form their issuers gave them, and a little that is personal. It
 * finds what looks like one; a secret of no known form is not found, so a server that holds such is bounded by its tier and
 * grants, not by this. All patterns take linear time: each begins behind a character that its own run cannot hold.
 */
const patterns = {
  private_key: /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,48}KEY-----|$)/g,
  aws_key: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  github_token: /(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})/g,
  gitlab_token: /(?<![A-Za-z0-9_-])gl(?:pat|dt|rt|cbt)-[A-Za-z0-9_-]{20,}/g,
  slack_token: /(?<![A-Za-z0-9-])xox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  google_key: /(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}/g,
  stripe_key: /(?<![A-Za-z0-9_])[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  model_key: /(?<![A-Za-z0-9_-])sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}/g,
  npm_token: /(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}/g,
  jwt: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*/g,
  bearer: /(?<![A-Za-z0-9])bearer[ \t]{1,4}[A-Za-z0-9._~+/-]{16,}={0,2}/gi,
  url_password: /(?<=:\/\/)[^\s/?#@:[]{0,256}:[^\s/?#@]{1,256}(?=@)/g,
  email: /(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])/g,
  card: /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g,
} as const satisfies Record<string, RegExp>;

export type SecretKind = keyof typeof patterns;

export const secretKinds = Object.keys(patterns) as readonly SecretKind[];

/** Those that open something; the others say something of a person. */
export const credentialKinds = secretKinds.filter((kind) => kind !== 'email' && kind !== 'card');

export const isSecretKind = (name: unknown): name is SecretKind =>
  typeof name === 'string' && Object.hasOwn(patterns, name);

/** What a text of a kind is replaced by: the agent sees that there was something, and what. */
const markOf = (kind: SecretKind): string => `[redacted:${kind}]`;

/** The text without anything of these kinds; the very same text where there is none. */
export function withoutSecrets(text: string, kinds: readonly SecretKind[]): string {
  let rest = text;
  for (const kind of kinds) {
    rest = rest.replace(patterns[kind], (found) => (isReally(kind, found) ? markOf(kind) : found));
  }
  return rest;
}

/** Which of the kinds a text holds. */
export const kindsIn = (text: string, kinds: readonly SecretKind[]): readonly SecretKind[] =>
  kinds.filter((kind) => text.match(patterns[kind])?.some((found) => isReally(kind, found)));

const isReally = (kind: SecretKind, found: string): boolean => kind !== 'card' || passesLuhn(found.replace(/\D/g, ''));

/** ISO/IEC 7812-1, Annex B: an order number of as many digits rarely passes. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.at(-1 - i));
    const counted = i % 2 === 0 ? digit : digit * 2;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}
