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
