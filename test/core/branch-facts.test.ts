import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { branchFacts, branchName } from '#gateway/core/branch-facts.ts';
import { type CommandFact, commandFacts } from '#gateway/core/command-facts.ts';

describe('a branch is', () => {
  test.each<[string, string | null]>([
    ['main', 'main'],
    ['refs/heads/main', 'main'],
    ['release/1.2', 'release/1.2'],
    ['Main', 'Main'],
    ['refs/heads/refs/heads/main', null],
    ['heads/main', null],
    ['refs/tags/v1', null],
    ['HEAD', null],
    ['@', null],
    ['@{-1}', null],
    ['main~1', null],
    ['main^{}', null],
    ['main@{upstream}', null],
    ['owner:main', null],
    [' main', null],
    ['main\n', null],
    ['/main', null],
    ['main/', null],
    ['a//b', null],
    ['a/../main', null],
    ['-main', null],
    ['main.lock', null],
    ['', null],
    ['ma*n', null],
    ['ma\\in', null],
  ])('of %j: %j', (text, name) => {
    expect(branchName(text)).toBe(name);
  });

  test('never another than was written, whatever was', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = branchName(text);
        if (name !== null) expect([name, `refs/heads/${name}`]).toContain(text);
      }),
    );
  });
});

const pushed = (line: string): readonly (string | null)[] => {
  const commands = commandFacts({ line }, ['/line']) as readonly CommandFact[];
  return (branchFacts({ line }, [], commands) as readonly { branch: string | null }[]).map(({ branch }) => branch);
};

describe('a command pushes to', () => {
  test.each<[string, (string | null)[]]>([
    ['git push origin main', ['main']],
    ['git push -u origin topic', ['topic']],
    ['git push --force origin +topic:main', ['main']],
    ['git push origin HEAD:refs/heads/main', ['main']],
    ['git push origin :main', ['main']],
    ['git push origin --delete main', ['main']],
    ['git push origin a b:c', ['a', 'c']],
    ["git push origin 'main'", ['main']],
    ['/usr/bin/git push origin main', ['main']],
    ['git push', [null]],
    ['git push origin', [null]],
    ['git push origin HEAD', [null]],
    ['git push --all origin topic', [null]],
    ['git push --mirror origin topic', [null]],
    ['git push -o ci.skip origin topic', [null]],
    ['git push --repo=origin topic', [null]],
    ['git push origin tag v1', [null, 'v1']],
    ['git push origin a:b:c', [null]],
    ['git -C /other push origin topic', [null]],
    ['git -c alias.x=push x origin main', [null]],
    ['git log main', []],
    ['git commit -m main', []],
    ['npm test', []],
  ])('%s: %j', (line, wanted) => {
    expect(pushed(line)).toEqual(wanted);
  });
});

test('an argument that is left out is a branch that the server chooses', () => {
  expect(branchFacts({}, ['/branch'], null)).toEqual([{ pointer: '/branch', branch: null }]);
  expect(branchFacts({ branch: null }, ['/branch'], null)).toEqual([{ pointer: '/branch', branch: null }]);
  expect(branchFacts({ to: ['main', 'a'] }, ['/to'], null)).toEqual([
    { pointer: '/to/0', branch: 'main' },
    { pointer: '/to/1', branch: 'a' },
  ]);
});

test('an argument that is no text is a flaw', () => {
  expect(branchFacts({ branch: 7 }, ['/branch'], null)).toMatchObject({ pointer: '/branch' });
});
