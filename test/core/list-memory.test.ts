import { describe, expect, test } from 'vitest';
import { createListMemory } from '#gateway/core/list-memory.ts';
import type { View } from '#gateway/core/snapshot.ts';
import { anIdentity, digests } from '#test/support/values.ts';

const aView = (name: string): View => ({
  ...{ name, servers: [], tools: new Map(), prompts: new Map(), resources: new Map(), templates: [], pages: new Map() },
});
const listOf = (...names: string[]) => ({ tools: names.map((name) => ({ name })) });

describe('a list that was answered', () => {
  test('is found for the same caller, view and kind of list, with its text, and for no other', () => {
    const memory = createListMemory(digests.sha256);
    const [ann, bob, one, other] = [anIdentity(), anIdentity(), aView('one'), aView('one')];
    const kept = memory.keep(ann, one, 'tools', listOf('a'));
    expect(kept).toEqual({ kind: 'result', result: listOf('a'), source: '{"tools":[{"name":"a"}]}' });
    expect(memory.find(ann, one, 'tools')).toBe(kept);
    expect(memory.find(bob, one, 'tools')).toBe(null);
    expect(memory.find(ann, other, 'tools')).toBe(null);
    expect(memory.find(ann, one, 'prompts')).toBe(null);
  });

  test('is one for all who are shown the same', () => {
    const memory = createListMemory(digests.sha256);
    const view = aView('all');
    const first = memory.keep(anIdentity(), view, 'tools', listOf('a', 'b'));
    expect(memory.keep(anIdentity(), view, 'tools', listOf('a', 'b'))).toBe(first);
    expect(memory.keep(anIdentity(), view, 'tools', listOf('a'))).not.toBe(first);
  });

  test('is forgotten when newer ones need its room, and then is made again', () => {
    const memory = createListMemory(digests.sha256, 60);
    const view = aView('all');
    const callers = ['a', 'b', 'c'].map((name) => ({ caller: anIdentity(), name }));
    for (const { caller, name } of callers) memory.keep(caller, view, 'tools', listOf(name));
    const found = callers.map(({ caller }) => memory.find(caller, view, 'tools') !== null);
    expect(found).toEqual([false, true, true]);
    const [{ caller } = { caller: anIdentity() }] = callers;
    memory.keep(caller, view, 'tools', listOf('a'));
    expect(memory.find(caller, view, 'tools')?.result).toEqual(listOf('a'));
  });

  test('that is larger than all the room is not kept', () => {
    const memory = createListMemory(digests.sha256, 10);
    const caller = anIdentity();
    const view = aView('all');
    expect(memory.keep(caller, view, 'tools', listOf('a')).result).toEqual(listOf('a'));
    expect(memory.find(caller, view, 'tools')).toBe(null);
  });
});
