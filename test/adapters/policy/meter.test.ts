import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createInstance, createModule } from '#gateway/adapters/policy/instance.ts';
import { metered, stepsName } from '#gateway/adapters/policy/meter.ts';
import { PolicyFault } from '#gateway/adapters/policy/policy-fault.ts';
import { aPolicy, aToolchain, buildTimeout, someWasm } from '#test/support/rego.ts';

const threeLoops = 'decision := count([1 | some a in input.l; some b in input.l; some c in input.l; a + b == c])';

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);

const reasonOf = (ask: () => unknown): string => {
  try {
    ask();
  } catch (cause) {
    if (cause instanceof PolicyFault) return cause.reason;
    throw cause;
  }
  return 'it answered';
};

describe('a policy that would go on for long', () => {
  test.each([
    ['three loops over one list', threeLoops, { l: Array.from({ length: 1_000 }, (_, i) => i) }],
    ['a range that the caller names', 'decision := count(numbers.range(1, input.n))', { n: 3_000_000 }],
    [
      'a text looked for in a text',
      'decision := count([1 | some x in input.l; contains(input.a, input.b)])',
      { a: 'a'.repeat(400_000), b: `${'a'.repeat(200_000)}b`, l: [1, 2, 3] },
    ],
    ['bits shifted far', 'decision := bits.lsh(1, input.n)', { n: 3_000_000 }],
  ])('is stopped: %s', async (_, rule, input) => {
    const policy = await aPolicy(rule);
    expect(reasonOf(() => policy.judge(input))).toBe('too_long');
  });

  test('is stopped at the same step every time, and answers the next question', async () => {
    const policy = await aPolicy(threeLoops);
    const list = (length: number) => ({ l: Array.from({ length }, (_, i) => i) });
    expect(policy.judge(list(20))).toBe(210);
    for (let again = 0; again < 3; again++) {
      expect(reasonOf(() => policy.judge(list(1_000)))).toBe('too_long');
      expect(policy.judge(list(20))).toBe(210);
    }
  });

  test('has a thousandfold of what an ordinary one takes', async () => {
    const policy = await aPolicy('decision := count([1 | some a in input.l; some b in input.l; a == b])');
    expect(policy.judge({ l: Array.from({ length: 100 }, (_, i) => i) })).toBe(100);
  });
});

describe('a module that counts its steps', () => {
  test('says what it said before', async () => {
    const wasm = await someWasm('decision := [input, walk_all]\n\nwalk_all := [p | walk(input, [p, _])]');
    const counting = createInstance(createModule(wasm), {});
    const policy = await aPolicy('decision := [input, walk_all]\n\nwalk_all := [p | walk(input, [p, _])]');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (document) => {
        const bytes = new TextEncoder().encode(JSON.stringify(document)).buffer;
        expect(counting.evaluate(bytes, 'sekisho/decision')).toEqual(
          policy.judge(JSON.parse(JSON.stringify(document))),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('is no larger by more than a tenth', async () => {
    const wasm = await someWasm('decision := regex.match("a+", input.a)');
    expect(metered(wasm).length / wasm.length).toBeLessThan(1.1);
  });

  test('is refused where it brings a counter of its own', async () => {
    const counted = metered(await someWasm('decision := 1'));
    expect(Buffer.from(counted).includes(stepsName)).toBe(true);
    expect(reasonOf(() => createModule(counted))).toBe('module_invalid');
  });

  test('is refused, never run, where a byte of it is not what it was', async () => {
    const wasm = await someWasm('decision := {"grant": [{"id": "x"}]}');
    for (let at = 0; at < wasm.length; at += Math.ceil(wasm.length / 150)) {
      const bent = wasm.slice();
      bent[at] = (bent[at] ?? 0) ^ 0xff;
      expect(['it answered', 'module_invalid']).toContain(reasonOf(() => createModule(bent)));
    }
    for (const length of [0, 4, 8, 9, 100, wasm.length - 1]) {
      expect(reasonOf(() => createModule(wasm.slice(0, length)))).toBe('module_invalid');
    }
  });
});
