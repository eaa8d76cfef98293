import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFactFlaw, pathFacts } from '#gateway/core/facts.ts';
import type { JsonObject } from '#gateway/core/json.ts';

const roots = { workspace: '/srv/work' };
const facts = (args: JsonObject, pointers = ['/path']) => pathFacts(args, pointers, roots, '/srv/work');
const only = (path: string) => {
  const found = facts({ path });
  return isFactFlaw(found) ? found : found[0];
};

describe('the facts about paths', () => {
  test.each([
    ['a.txt', '/srv/work/a.txt'],
    ['./a/../b.txt', '/srv/work/b.txt'],
    ['/srv/work', '/srv/work'],
    ['/srv//work/./x', '/srv/work/x'],
  ])('%s stays inside, as %s', (path, canonical) => {
    expect(only(path)).toEqual({ pointer: '/path', canonical, root: 'workspace', escapes: false });
  });

  test.each([
    '../x',
    'a/../../x',
    '/etc/passwd',
    '/srv/workspace-not/x',
    '/srv/work/../work2/x',
    '~/x',
    'a\\..\\..\\x',
    '..%2fx',
    '%2e%2e/x',
    'a%00b',
    'a\u0001b',
  ])('%j escapes', (path) => {
    expect(only(path)).toMatchObject({ root: null, escapes: true });
  });

  test('are one for each element of a list', () => {
    expect(facts({ paths: ['a', '/etc/x'] }, ['/paths'])).toMatchObject([
      { pointer: '/paths/0', escapes: false },
      { pointer: '/paths/1', escapes: true },
    ]);
  });

  test('are none for an argument that is absent', () => {
    expect(facts({})).toEqual([]);
  });

  test.each<[string, JsonObject]>([
    ['a number', { path: 5 }],
    ['an object', { path: { toString: 'x' } }],
    ['an empty text', { path: '' }],
    ['a list with a number', { path: ['a', 5] }],
  ])('are a flaw for %s', (_, args) => {
    expect(isFactFlaw(facts(args))).toBe(true);
  });

  test('never say inside for a path that node resolves to outside', () => {
    const part = fc.constantFrom('..', '.', 'a', 'b', '', '...', ' ', 'work', 'srv');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.boolean(), (parts, absolute) => {
        const path = `${absolute ? '/' : ''}${parts.join('/')}` || '.';
        const fact = only(path);
        const resolved = new URL(`file://${absolute ? '' : '/srv/work/'}${path}`).pathname.replace(/\/+/g, '/');
        if (fact && 'escapes' in fact && !fact.escapes) expect(fact.canonical.startsWith('/srv/work')).toBe(true);
        expect(resolved).toBeTypeOf('string');
      }),
    );
  });
});
