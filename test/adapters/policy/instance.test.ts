import { beforeAll, expect, test } from 'vitest';
import { createInstance, createModule, createRecycledInstance } from '#gateway/adapters/policy/instance.ts';
import { aToolchain, buildTimeout, someWasm } from '#test/support/rego.ts';

const asks = (input: object): ArrayBuffer => new TextEncoder().encode(JSON.stringify(input)).buffer;

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);

test('memory goes back to what it was after an unusual question', async () => {
  const wasm = await someWasm('decision := count(numbers.range(1, input.n))');
  const module = createModule(wasm);
  const unusual = asks({ n: 200_000 });
  const kept = createInstance(module, {});
  const before = kept.memoryBytes();
  expect(kept.evaluate(unusual, 'sekisho/decision')).toBe(200_000);
  expect(kept.memoryBytes()).toBeGreaterThan(before + 16 * 1024 * 1024);
  const recycled = createRecycledInstance(module, {});
  expect(recycled.evaluate(unusual, 'sekisho/decision')).toBe(200_000);
  expect(recycled.memoryBytes()).toBe(before);
});

test('ten thousand ordinary questions take no memory', async () => {
  const wasm = await someWasm('decision := $"{input.name} may"');
  const instance = createRecycledInstance(createModule(wasm), {});
  const before = instance.memoryBytes();
  for (let i = 0; i < 10_000; i++) {
    expect(instance.evaluate(asks({ name: `someone ${i}` }), 'sekisho/decision')).toBe(`someone ${i} may`);
  }
  expect(instance.memoryBytes()).toBe(before);
});

test('data is there again after the module was made anew', async () => {
  const wasm = await someWasm('decision := {"n": count(numbers.range(1, input.n)), "who": data.who}');
  const instance = createRecycledInstance(createModule(wasm), { who: 'ann' });
  const before = instance.memoryBytes();
  for (const n of [3, 150_000, 3]) {
    expect(instance.evaluate(asks({ n }), 'sekisho/decision')).toEqual({ n, who: 'ann' });
    expect(instance.memoryBytes()).toBe(before);
  }
});
