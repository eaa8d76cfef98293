import { describe, expect, test } from 'vitest';
import { kindsIn, type SecretKind, secretKinds, withoutSecrets } from '#gateway/core/secret-kinds.ts';

// Put together at run time, or those who look for leaked secrets in repositories would find these.
const of = (length: number): string => 'aB3'.repeat(length).slice(0, length);
const examples: Readonly<Record<SecretKind, string>> = {
  private_key: `-----BEGIN RSA ${'PRIVATE'} KEY-----\n${of(64)}\n-----END RSA ${'PRIVATE'} KEY-----`,
  aws_key: `AKIA${'A1B2C3D4'.repeat(2)}`,
  github_token: `ghp_${of(36)}`,
  gitlab_token: `glpat-${of(20)}`,
  slack_token: `xoxb-${'123456789012-'.repeat(2)}${of(24)}`,
  google_key: `AIza${of(35)}`,
  stripe_key: `sk_live_${of(24)}`,
  model_key: `sk-ant-${of(40)}`,
  npm_token: `npm_${of(36)}`,
  jwt: `eyJ${of(20)}.eyJ${of(30)}.${of(43)}`,
  bearer: `Bearer ${of(24)}`,
  url_password: 'ann:hunter2',
  email: 'ann.lee+x@mail.example.com',
  card: '4111 1111 1111 1111',
};
const around: Partial<Record<SecretKind, (text: string) => string>> = {
  url_password: (text) => `https://${text}@host/`,
};

describe.each(secretKinds)('%s', (kind) => {
  test('is found in the middle of a text, and taken out whole', () => {
    const inside = around[kind]?.(examples[kind]) ?? examples[kind];
    const text = `before ${inside}\nafter "${inside}"`;
    expect(kindsIn(text, [kind])).toEqual([kind]);
    const clean = withoutSecrets(text, [kind]);
    expect(clean).toContain(`[redacted:${kind}]`);
    expect(clean).not.toContain(examples[kind]);
    expect(kindsIn(clean, [kind])).toEqual([]);
  });

  test('takes linear time, whatever a server sends', () => {
    const parts = [
      examples[kind],
      examples[kind].slice(0, -1),
      examples[kind].slice(0, 8),
      'a',
      '1 ',
      'a@a.',
      '://a:',
      'eyJ',
      '.',
      '\\n',
      '%20',
      '4 ',
    ];
    for (const part of parts) {
      const text = part.repeat(Math.ceil(500_000 / part.length));
      const began = process.threadCpuUsage();
      withoutSecrets(text, [kind]);
      expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(100);
    }
  });
});

test('what looks alike and is none is left alone', () => {
  for (const text of [
    '4111 1111 1111 1112',
    'basket-case',
    'sk-short',
    'a@b',
    'AKIA123',
    'https://host:8080/a@b',
    'ghp_short',
  ]) {
    expect(withoutSecrets(text, secretKinds)).toBe(text);
  }
});

test('a key that is cut short is taken out to the end of the text', () => {
  expect(withoutSecrets(`x -----BEGIN ${'PRIVATE'} KEY-----\nMIIE`, ['private_key'])).toBe('x [redacted:private_key]');
});

describe('what hides a secret from a careless look does not hide it:', () => {
  const token = examples.github_token;
  test.each<[string, SecretKind, string, string]>([
    [
      'an escape of JSON before it',
      'github_token',
      `{"a":"key:\\n${token}"}`,
      `{"a":"key:\\n[redacted:github_token]"}`,
    ],
    ['an escape by number before it', 'github_token', `"key\\u003d${token}"`, '"key\\u003d[redacted:github_token]"'],
    ['percent signs before it', 'github_token', `?q=a%20${token}`, '?q=a%20[redacted:github_token]'],
    ['an escape before an address', 'email', '{"to":"x\\nann@example.com"}', '{"to":"x\\n[redacted:email]"}'],
    ['the three digits on the back of a card', 'card', '4111 1111 1111 1111 123', '[redacted:card] 123'],
    ['the number of a row before a card', 'card', '12 4111-1111-1111-1111', '12 [redacted:card]'],
    ['another card beside it', 'card', '4111111111111111 5500000000000004', '[redacted:card] [redacted:card]'],
    ['an @ in the password', 'url_password', 'https://ann:p@ss@host/a', 'https://[redacted:url_password]@host/a'],
    ['an @ in the name', 'url_password', 'https://ann@x.io:pass@host/a', 'https://[redacted:url_password]@host/a'],
    [
      'the words of PGP',
      'private_key',
      `a -----BEGIN PGP ${'PRIVATE'} KEY BLOCK-----\n\nlQdG\n-----END PGP ${'PRIVATE'} KEY BLOCK----- b`,
      'a [redacted:private_key] b',
    ],
  ])('%s', (_, kind, text, clean) => {
    expect(withoutSecrets(text, [kind])).toBe(clean);
    expect(kindsIn(text, [kind])).toEqual([kind]);
  });
});

test.each([
  '{"u":"https://host:80","e":"b@c"}',
  '1234 5678 9012 3456 7890 1234 5678',
  '2026-11-21 12:30:45 1700000000000',
])('%s holds neither a password nor a card', (text) => {
  expect(kindsIn(text, ['url_password', 'card'])).toEqual([]);
});
