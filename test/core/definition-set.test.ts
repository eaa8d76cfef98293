import { describe, expect, test } from 'vitest';
import { flawOf, settled, unambiguous } from '#gateway/core/definition-set.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Definitions } from '#gateway/core/manifest.ts';

const set = (part: Partial<Definitions>): Definitions => ({
  tools: [],
  prompts: [],
  templates: [],
  instructions: null,
  ...part,
});

const nested = (levels: number): JsonObject => (levels === 1 ? {} : { x: nested(levels - 1) });

describe('a set of definitions', () => {
  test('has no flaw when each name leads to one definition', () => {
    const both = set({ tools: [{ name: 'a' }, { name: 'b' }], prompts: [{ name: 'a' }], instructions: 'x' });
    expect(flawOf(both)).toBeNull();
  });

  test.each<[string, Partial<Definitions>, string]>([
    ['a tool twice', { tools: [{ name: 'a' }, { name: 'a', title: 'A' }] }, 'the tool "a" is defined twice'],
    [
      'a template twice',
      { templates: [{ uriTemplate: 'x' }, { uriTemplate: 'x' }] },
      'the template "x" is defined twice',
    ],
    ['a tool without a name', { tools: [{ title: 'A' }] }, 'has no name'],
    ['a name that is a number', { tools: [{ name: 7 }] }, 'has no name'],
    ['a prompt with an empty name', { prompts: [{ name: '' }] }, 'has no name'],
    ['a name of 257 characters', { tools: [{ name: 'a'.repeat(257) }] }, '257 characters'],
    ['a tool past 64 KiB', { tools: [{ name: 'a', description: 'b'.repeat(65_536) }] }, 'larger than 64 KiB'],
    ['a tool nested past 32', { tools: [{ name: 'a', x: nested(32) }] }, 'nests deeper than 32'],
    ['instructions past 64 KiB', { instructions: 'b'.repeat(65_537) }, 'larger than 64 KiB'],
    ['513 tools', { tools: Array.from({ length: 513 }, (_, n) => ({ name: `t${n}` })) }, 'more than 512'],
  ])('is refused with %s', (_, part, why) => {
    expect(flawOf(set(part))).toContain(why);
  });

  test('may nest 32 levels', () => {
    expect(flawOf(set({ tools: [{ name: 'a', x: nested(31) }] }))).toBeNull();
  });

  test('drops names that lead nowhere for certain, and keeps the rest', () => {
    const live = set({
      tools: [{ name: 'a' }, { name: 'b' }, { name: 'b' }, { title: 'none' }],
      prompts: [{ name: 'b' }],
    });
    expect(unambiguous(live)).toEqual(set({ tools: [{ name: 'a' }], prompts: [{ name: 'b' }] }));
  });

  test('settles without the members that no digest covers', () => {
    const live = set({ tools: [{ name: 'a', _meta: { traceparent: '00-1', owner: 'me' } }] });
    expect(settled(live).tools).toEqual([{ name: 'a', _meta: { owner: 'me' } }]);
  });
});
