import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { secretFacts } from '#gateway/core/secret-facts.ts';

const token = `ghp_${'a1B2'.repeat(9)}`;
const kind = 'github_token';
const part = 'arguments';
const inArguments = (args: JsonObject) => secretFacts({ arguments: args, input_responses: null, _meta: null });
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
    expect(inArguments(args as JsonObject)).toEqual([{ part, pointer, kind }]);
  });
});

test('the text itself is in no fact, wherever it stood as a value', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const facts = inArguments({ a: `${before} ${token} ${after}` });
      expect(facts.some((one) => one.kind === kind)).toBe(true);
      expect(JSON.stringify(facts)).not.toContain(token);
    }),
  );
});

test('a name that is a secret is in no pointer, not even of what it names', () => {
  const facts = inArguments({ [token]: { deep: `glpat-${'a1B2'.repeat(6)}` } });
  expect(facts).toEqual([
    { part, pointer: '/*', kind },
    { part, pointer: '/*/deep', kind: 'gitlab_token' },
  ]);
});

test('ordinary arguments hold none, whatever they are', () => {
  expect(
    inArguments({ path: '/a/b.ts', n: 5, text: 'x'.repeat(10_000), hash: 'a'.repeat(64), id: crypto.randomUUID() }),
  ).toEqual([]);
});

test('more text than is looked through is a fact by itself, and takes no longer', () => {
  const began = process.threadCpuUsage();
  expect(inArguments({ a: 'x '.repeat(400_000), b: 'A1b2'.repeat(200_000), c: token })).toContainEqual({
    part,
    pointer: '',
    kind: 'unread',
  });
  expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(200);
});

test('as is a list of more texts than are looked at, were they empty', () => {
  const began = process.threadCpuUsage();
  const facts = inArguments({ a: Array.from({ length: 600_000 }, () => ''), b: token });
  expect(facts).toContainEqual({ part, pointer: '', kind: 'unread' });
  expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(200);
});

test.each(['\n', '\t', '\r'])('a secret behind %j is found inside of JSON, too', (space) => {
  expect(inArguments({ a: JSON.stringify(`key:${space}${token}`) })).toEqual([{ part, pointer: '/a', kind }]);
});

test('a secret beside the arguments is found, too, and it is said where', () => {
  const facts = secretFacts({
    arguments: { a: 1 },
    input_responses: { q: { content: { key: token } } },
    _meta: { 'x.io/trace': `t ${token}` },
  });
  expect(facts).toEqual([
    { part: 'input_responses', pointer: '/q/content/key', kind },
    { part: '_meta', pointer: '/x.io~1trace', kind },
  ]);
});
