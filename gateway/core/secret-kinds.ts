/**
 * Kinds of text that should not travel: credentials by the form their issuers gave them, and a little that is personal. It
 * finds what looks like one; a secret of no known form is not found, so a server that holds such is bounded by its tier and
 * grants, not by this. All patterns take linear time: each begins behind a character that its own run cannot hold.
 */
const patterns = {
  private_key:
    /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,48}KEY(?: BLOCK)?-----|$)/g,
  aws_key: behind('A-Za-z0-9', '(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])'),
  github_token: behind('A-Za-z0-9_', '(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})'),
  gitlab_token: behind('A-Za-z0-9_-', 'gl(?:pat|dt|rt|cbt)-[A-Za-z0-9_-]{20,}'),
  slack_token: behind('A-Za-z0-9-', 'xox[abeoprs]-[A-Za-z0-9-]{10,}'),
  google_key: behind('A-Za-z0-9_-', 'AIza[A-Za-z0-9_-]{35}'),
  stripe_key: behind('A-Za-z0-9_', '[rs]k_(?:live|test)_[A-Za-z0-9]{16,}'),
  model_key: behind('A-Za-z0-9_-', 'sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}'),
  npm_token: behind('A-Za-z0-9_', 'npm_[A-Za-z0-9]{36}'),
  jwt: behind('A-Za-z0-9_-', 'eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]*'),
  bearer: behind('A-Za-z0-9', '[Bb][Ee][Aa][Rr][Ee][Rr][ \\t]{1,4}[A-Za-z0-9._~+/-]{16,}={0,2}'),
  // A name and a password may hold an `@`, and no quote: in JSON what follows that is another text.
  url_password: /(?<=:\/\/)[^\s/?#:["<>]{0,256}:[^\s/?#"<>]{1,256}(?=@)/g,
  // The letter of an escape is not of the address.
  email:
    /(?:(?<![A-Za-z0-9._%+-])(?<!\\(?=[bfnrt]))|(?<=\\[bfnrt]))[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])/g,
  card: /(?<!\d)\d(?:[ -]?\d){12,}(?!\d)/g,
} as const satisfies Record<string, RegExp>;

/**
 * What stands behind none of these characters, or behind one that is the end of an escape: of JSON (`\n`, `\u003d`) or of a
 * URL (`%20`).
 */
function behind(none: string, pattern: string): RegExp {
  return new RegExp(`(?:(?<![${none}])|(?<=\\\\[bfnrt]|\\\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}))${pattern}`, 'g');
}

export type SecretKind = keyof typeof patterns;

/** What every text of a kind holds: looking for that is far cheaper than looking for the kind. */
const needles: Partial<Record<SecretKind, string>> = {
  ...{ private_key: 'PRIVATE KEY', slack_token: 'xox', google_key: 'AIza', stripe_key: 'k_', model_key: 'sk-' },
  ...{ npm_token: 'npm_', jwt: 'eyJ', url_password: '://', email: '@' },
};

const mayHold = (text: string, kind: SecretKind): boolean => text.includes(needles[kind] ?? '');

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
    if (!mayHold(rest, kind)) continue;
    const mark = markOf(kind);
    rest = rest.replace(patterns[kind], (found) => (kind === 'card' ? withoutCards(found, mark) : mark));
  }
  return rest;
}

/** Which of the kinds a text holds. */
export const kindsIn = (text: string, kinds: readonly SecretKind[]): readonly SecretKind[] =>
  kinds.filter((kind) => {
    if (!mayHold(text, kind)) return false;
    const found = text.match(patterns[kind]);
    return kind === 'card' ? found?.some((digits) => withoutCards(digits, '') !== digits) : found !== null;
  });

/**
 * Digits without the numbers of cards in them: whole groups of digits, 13 to 19 together, since the number of a row may stand
 * before and a check code behind.
 */
function withoutCards(text: string, mark: string): string {
  let clean = '';
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const end = cardEnd(text, at);
    if (end > 0) {
      clean += text.slice(copied, at) + mark;
      copied = end;
    }
    at = end > 0 ? end + 1 : nextGroup(text, at);
  }
  return copied === 0 ? text : clean + text.slice(copied);
}

/** Where the longest number of a card ends that begins here; 0 where none does. */
function cardEnd(text: string, start: number): number {
  const first = text.charCodeAt(start) - 0x30;
  // ISO/IEC 7812-1: cards of payment begin with 2 to 6.
  if (first < 2 || first > 6) return 0;
  let [odd, even, count, end] = [0, 0, 0, 0];
  for (let at = start; at < text.length && count < 19; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!isDigit(digit)) continue;
    // Annex B counts from the end, which is not known yet: so both ways at once.
    const doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    [odd, even] = [even + digit, odd + doubled];
    count++;
    const closes = !isDigit(text.charCodeAt(at + 1) - 0x30);
    if (count >= 13 && closes && odd % 10 === 0) end = at + 1;
  }
  return end;
}

function nextGroup(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text.charCodeAt(at) - 0x30)) at++;
  return at + 1;
}

const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9;
