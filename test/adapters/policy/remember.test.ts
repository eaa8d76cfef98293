import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remembering } from '#gateway/adapters/policy/remember.ts';
import type { Policy } from '#gateway/core/snapshot.ts';

/** A policy that reads exactly these paths, and counts how often it is asked. */
function policyReading(paths: readonly (readonly string[])[]): Policy & { readonly asked: () => number } {
  let asked = 0;
  const at = (value: unknown, path: readonly string[]): unknown =>
    path.reduce<unknown>(
      (from, name) =>
        typeof from === 'object' && from !== null && Object.hasOwn(from, name)
          ? (from as Record<string, unknown>)[name]
          : undefined,
      value,
    );
  return {
    revision: 'r',
    asked: () => asked,
    judge(input) {
      asked++;
      return { saw: paths.map((path) => JSON.stringify(at(input, path)) ?? 'nothing') };
    },
  };
}

const dotted = (paths: readonly (readonly string[])[]): string[] => paths.map((path) => path.join('.'));

const name = fc.constantFrom('a', 'b', 'c', 'a.b', 'b.c');
const leaf = fc.oneof(fc.constant(null), fc.boolean(), fc.integer({ min: 0, max: 2 }), fc.constantFrom('', 'x'));
const inner = fc.oneof(leaf, fc.array(leaf, { maxLength: 2 }), fc.dictionary(name, leaf, { maxKeys: 2 }));
const middle = fc.oneof(inner, fc.dictionary(name, inner, { maxKeys: 3 }));
const inputs = fc.array(fc.dictionary(name, middle, { maxKeys: 3 }), { minLength: 1, maxLength: 60 });
const paths = fc.array(fc.array(name, { minLength: 1, maxLength: 3 }), { maxLength: 4 });

describe('a policy that remembers', () => {
  test('says of every input what it would say without memory', () => {
    fc.assert(
      fc.property(paths, inputs, fc.constantFrom(2, 8, 1000), (read, asked, atMost) => {
        const [plain, asIs] = [policyReading(read), policyReading(read)];
        const withMemory = remembering(asIs, dotted(read), atMost);
        for (const input of asked) expect(withMemory.judge(input)).toEqual(plain.judge(input));
        expect(asIs.asked()).toBeLessThanOrEqual(asked.length);
      }),
      { numRuns: 500 },
    );
  });

  test('is asked once for inputs that differ only where it does not look', () => {
    const policy = policyReading([['tool', 'action']]);
    const remembers = remembering(policy, ['tool.action']);
    for (let id = 0; id < 5; id++) remembers.judge({ id, tool: { action: 'read', name: `t${id}` } });
    expect(policy.asked()).toBe(1);
    remembers.judge({ id: 6, tool: { action: 'write' } });
    expect(policy.asked()).toBe(2);
  });

  test.each([
    ['null', null],
    ['a number', 5],
    ['a list', [1]],
  ])('does not take %s for an object that holds it', (_, value) => {
    const policy = policyReading([['b', 'a']]);
    const remembers = remembering(policy, ['b.a']);
    for (const input of [{ b: value }, { b: { a: value } }]) {
      expect(remembers.judge(input)).toEqual(policyReading([['b', 'a']]).judge(input));
    }
  });

  test('is asked every time when it reads all of the input', () => {
    const policy = policyReading([]);
    const remembers = remembering(policy, ['tool.action', '']);
    for (let n = 0; n < 3; n++) remembers.judge({ tool: { action: 'read' } });
    expect(policy.asked()).toBe(3);
  });

  test('still refuses what the engine could not take, also where no rule looks', () => {
    const remembers = remembering(policyReading([['tool']]), ['tool']);
    remembers.judge({ tool: 'x', arguments: {} });
    expect(() => remembers.judge({ tool: 'x', arguments: { text: '\ud800' } })).toThrow('half a character');
    expect(() => remembers.judge({ tool: 'x', arguments: Array.from({ length: 1001 }, () => 0) })).toThrow('members');
  });

  test('asks about an input so large that the engine might refuse it', () => {
    const policy = policyReading([['tool']]);
    const remembers = remembering(policy, ['tool']);
    const large = { tool: 'x', arguments: { text: 'a'.repeat(1024 * 1024) } };
    remembers.judge({ tool: 'x', arguments: {} });
    remembers.judge(large);
    expect(policy.asked()).toBe(2);
  });

  test('does not remember a fault', () => {
    let asked = 0;
    const failing: Policy = {
      revision: 'r',
      judge() {
        if (++asked === 1) throw new Error('once');
        return { ok: true };
      },
    };
    const remembers = remembering(failing, ['tool']);
    expect(() => remembers.judge({ tool: 'x' })).toThrow('once');
    expect(remembers.judge({ tool: 'x' })).toEqual({ ok: true });
  });

  test('gives nobody an answer that could be changed for others', () => {
    const remembers = remembering(policyReading([['tool']]), ['tool']);
    const answer = remembers.judge({ tool: 'x' }) as { saw: string[] };
    expect(() => answer.saw.push('evil')).toThrow(TypeError);
  });
});
