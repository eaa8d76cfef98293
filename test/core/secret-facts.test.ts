import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secretFacts } from '#gateway/core/secret-facts.ts';

const token = `ghp_${'a1B2'.repeat(9)}`;
const kind = 'github_token';
const escaped = [...token].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('');
const percent = [...token].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');

describe('a secret is found, by pointer and kind', () => {
  test.each<[string, object, string]>([
    ['in an argument', { note: `use ${token}` }, '/note'],
    ['deep down', { a: [{ b: [token] }] }, '/a/0/b/0'],
    ['in the name of a member', { headers: { [token]: 1 } }, '/headers/*'],
    ['in JSON as text', { body: JSON.stringify({ deep: { token } }) }, '/body'],
    ['in the escapes of JSON', { body: `{"t": "${escaped}"}` }, '/body'],
    ['behind percent signs', { url: `https://x.io/?t=${percent}` }, '/url'],
    [
      'in base64',
      { data: `data:text/plain;base64,${Buffer.from(`the token is ${token}`).toString('base64')}` },
      '/data',
    ],
    ['in base64 of URLs', { data: Buffer.from(`???>>> ${token}`).toString('base64url') }, '/data'],
    ['under a name that needs escapes', { 'a/b~c': token }, '/a~1b~0c'],
  ])('%s', (_, args, pointer) => {
    expect(secretFacts(args as never)).toEqual([{ pointer, kind }]);
  });
});

test('the text itself is in no fact, wherever it stood as a value', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const facts = secretFacts({ a: `${before} ${token} ${after}` });
      expect(facts.some((one) => one.kind === kind)).toBe(true);
      expect(JSON.stringify(facts)).not.toContain(token);
    }),
  );
});

test('a name that is a secret is in no pointer, not even of what it names', () => {
  const facts = secretFacts({ [token]: { deep: `glpat-${'a1B2'.repeat(6)}` } });
  expect(facts).toEqual([
    { pointer: '/*', kind },
    { pointer: '/*/deep', kind: 'gitlab_token' },
  ]);
});

test('ordinary arguments hold none, whatever they are', () => {
  expect(
    secretFacts({ path: '/a/b.ts', n: 5, text: 'x'.repeat(10_000), hash: 'a'.repeat(64), id: crypto.randomUUID() }),
  ).toEqual([]);
});

test('more text than is looked through is a fact by itself, and takes no longer', () => {
  const began = process.threadCpuUsage();
  expect(secretFacts({ a: 'x '.repeat(400_000), b: 'A1b2'.repeat(200_000), c: token })).toContainEqual({
    pointer: '',
    kind: 'unread',
  });
  expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(200);
});

test('as is a list of more texts than are looked at, were they empty', () => {
  const began = process.threadCpuUsage();
  const facts = secretFacts({ a: Array.from({ length: 600_000 }, () => ''), b: token });
  expect(facts).toContainEqual({ pointer: '', kind: 'unread' });
  expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(200);
});

test.each(['\n', '\t', '\r'])('a secret behind %j is found inside of JSON, too', (space) => {
  expect(secretFacts({ a: JSON.stringify(`key:${space}${token}`) })).toEqual([{ pointer: '/a', kind }]);
});
