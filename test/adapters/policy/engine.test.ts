import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { PolicyFault } from '#gateway/adapters/policy/policy-fault.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { aPolicy, askRego, aToolchain, buildTimeout, someWasm } from '#test/support/rego.ts';

// A deny list, because that is what fails open: where the engine quietly lost the input, `deny` would be empty.
const denyList = `
decision := {"deny": deny}

deny contains "evil" if input.name == "evil"

deny contains "deep" if input.list[_] == "evil"
`;

function faultOf(ask: () => unknown): PolicyFault {
  try {
    ask();
  } catch (cause) {
    if (cause instanceof PolicyFault) return cause;
    throw new Error('it threw something else', { cause });
  }
  throw new Error('it did not throw');
}

const nested = (depth: number): object => {
  let value: object = {};
  for (let i = 1; i < depth; i++) value = { a: value };
  return value;
};

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);

describe('what reaches the policy', () => {
  let policy: Policy;
  beforeAll(async () => {
    policy = await aPolicy(denyList);
  });

  test('is judged', () => {
    expect(policy.judge({ name: 'evil' })).toEqual({ deny: ['evil'] });
    expect(policy.judge({ name: 'good' })).toEqual({ deny: [] });
  });

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['false', false],
    ['zero', 0],
    ['the empty string', ''],
    ['a string of JSON', '{"name":"evil"}'],
    ['a list', [{ name: 'evil' }]],
    ['a Buffer', Buffer.from('{"name":"evil"}')],
    ['a Uint8Array', new TextEncoder().encode('{"name":"evil"}')],
    ['an ArrayBuffer', new TextEncoder().encode('{"name":"evil"}').buffer],
    ['a Map', new Map([['name', 'evil']])],
    ['a Date', new Date(0)],
    ['a promise', Promise.resolve({ name: 'evil' })],
    ['a function', () => ({ name: 'evil' })],
  ])('is never %s', (_, input) => {
    expect(faultOf(() => policy.judge(input as object)).reason).toBe('input_not_object');
  });

  test.each([
    ['an undefined member', { name: undefined }],
    ['a function member', { name: () => 'evil' }],
    ['a bigint', { n: 10n }],
    ['a symbol', { n: Symbol('n') }],
    ['NaN', { n: Number.NaN }],
    ['infinity', { n: Number.POSITIVE_INFINITY }],
    ['a date inside', { at: new Date(0) }],
    ['a Map inside', { list: new Map() }],
    ['a Buffer inside', { list: Buffer.from('evil') }],
    ['an object that writes itself', { name: { toJSON: () => 'good' } }],
    ['a list with a hole', { list: Object.assign([1], { 2: 'evil' }) }],
  ])('holds no %s, which JSON would drop or bend', (_, input) => {
    expect(faultOf(() => policy.judge(input)).reason).toBe('input_not_json');
  });

  test('is refused by the name of the place that is wrong', () => {
    const fault = faultOf(() => policy.judge({ arguments: { list: [1, Number.NaN] } }));
    expect(fault.message).toBe('/arguments/list/1 is not a finite number');
  });

  test('may have no prototype', () => {
    expect(policy.judge(Object.assign(Object.create(null), { name: 'evil' }))).toEqual({ deny: ['evil'] });
  });

  test('may not have a prototype of its own making', () => {
    expect(faultOf(() => policy.judge(Object.create({ name: 'evil' }))).reason).toBe('input_not_object');
  });

  test.each([
    ['a value', { name: 'evil\ud800' }],
    ['a value in a list', { list: ['\udc00evil'] }],
    ['a key', { 'evil\ud800': 1 }],
  ])('has no half of a surrogate pair in %s', (_, input) => {
    expect(faultOf(() => policy.judge(input)).reason).toBe('input_not_text');
  });

  test('is text of any alphabet, control characters and NUL included', async () => {
    const echo = await aPolicy('decision := {"name": input.name, "evil": evil}\n\nevil := input.name == "evil"');
    for (const name of ['関所', '😀', '\u0000', 'evil\u0000', '"\\/\b\f\n\r\t', '\u2028\u007f', ' evil']) {
      expect(echo.judge({ name })).toEqual({ name, evil: false });
    }
  });

  test('is what JSON says, to the last digit and code point', async () => {
    const echo = await aPolicy('decision := input');
    const text = fc.string({ unit: 'binary' });
    const documents = fc.dictionary(text, fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }));
    fc.assert(
      fc.property(documents, (document) => {
        const input = JSON.parse(JSON.stringify(document));
        expect(echo.judge(input)).toEqual(input);
      }),
      { numRuns: 500 },
    );
  });

  test('is at most 64 levels deep', () => {
    expect(policy.judge(nested(64))).toEqual({ deny: [] });
    expect(faultOf(() => policy.judge(nested(65))).reason).toBe('input_too_deep');
  });

  test('is refused before the stack ends, however deep it is', () => {
    expect(faultOf(() => policy.judge(nested(200_000))).reason).toBe('input_too_deep');
  });

  test('is refused where it holds itself', () => {
    const loop: { self?: object } = {};
    loop.self = loop;
    expect(faultOf(() => policy.judge(loop)).reason).toBe('input_too_deep');
  });

  test('has at most 1,000 members in a list or an object', () => {
    const list = Array.from({ length: 1_000 }, (_, i) => i);
    expect(policy.judge({ list: [...list.slice(1), 'evil'] })).toEqual({ deny: ['deep'] });
    expect(faultOf(() => policy.judge({ list: [...list, 'evil'] })).reason).toBe('input_too_wide');
    const wide = Object.fromEntries([...list, 1_000].map((i) => [`k${i}`, i]));
    expect(faultOf(() => policy.judge({ wide })).reason).toBe('input_too_wide');
  });

  test('has at most 50,000 values altogether', () => {
    const rows = (count: number) => Array.from({ length: count }, () => Array.from({ length: 999 }, () => 0));
    expect(policy.judge({ name: 'evil', rows: rows(49) })).toEqual({ deny: ['evil'] });
    expect(faultOf(() => policy.judge({ name: 'evil', rows: rows(51) })).reason).toBe('input_too_wide');
  });

  test('has at most a mebibyte', () => {
    expect(policy.judge({ name: 'evil', pad: 'x'.repeat(1_000_000) })).toEqual({ deny: ['evil'] });
    expect(faultOf(() => policy.judge({ name: 'evil', pad: 'é'.repeat(600_000) })).reason).toBe('input_too_large');
  });

  test('has a member called __proto__ where the caller sent one', async () => {
    const sees = await aPolicy('decision := object.keys(input.arguments)');
    expect(sees.judge(JSON.parse('{"arguments": {"__proto__": 1}}'))).toEqual(['__proto__']);
  });

  test('is not printed, whatever a rule wants', async () => {
    const written: string[] = [];
    const write = vi.spyOn(console, 'log').mockImplementation((line) => void written.push(String(line)));
    const prints = await aPolicy('decision := 1 if print("secret", input.name)');
    prints.judge({ name: 'evil' });
    write.mockRestore();
    expect(written).toEqual([]);
  });

  test('is not kept from one call to the next', () => {
    expect(policy.judge({ name: 'evil' })).toEqual({ deny: ['evil'] });
    expect(policy.judge({})).toEqual({ deny: [] });
  });
});

describe('an engine that gives no single answer', () => {
  test('faults where the decision is undefined', async () => {
    const policy = await aPolicy('decision := {"grant": []} if input.ok == true');
    expect(faultOf(() => policy.judge({ ok: false })).reason).toBe('undefined');
    expect(policy.judge({ ok: true })).toEqual({ grant: [] });
  });

  test('faults where two rules disagree, with an Error that says so, and judges on', async () => {
    const policy = await aPolicy('decision := 1 if input.a\n\ndecision := 2 if input.b');
    const fault = faultOf(() => policy.judge({ a: true, b: true }));
    expect(fault.reason).toBe('threw');
    expect(fault.message).toContain('conflict');
    expect(policy.judge({ a: true })).toBe(1);
  });

  test('faults where memory runs out, and judges on', async () => {
    const policy = await aPolicy('decision := count(concat(input.between, input.list))');
    const list = Array.from({ length: 1_000 }, () => 'x');
    for (let again = 0; again < 3; again++) {
      const fault = faultOf(() => policy.judge({ list, between: 'y'.repeat(100_000) }));
      expect([fault.reason, fault.message]).toEqual(['threw', expect.stringContaining('malloc')]);
      expect(policy.judge({ list: ['a', 'b'], between: '-' })).toBe(3);
    }
  });

  test('faults where a rule asks for what the caller did not send, unless it is written to be there', async () => {
    const policy = await aPolicy('decision := {"deny": [{"code": "X", "message": $"{input.missing} is no good"}]}');
    expect(policy.judge({})).toEqual({ deny: [{ code: 'X', message: '<undefined> is no good' }] });
  });
});

describe('a module that cannot be trusted', () => {
  test('is refused where it is no WebAssembly', () => {
    const wasm = new TextEncoder().encode('not wasm');
    expect(faultOf(() => createPolicyEngine({ revision: 'r', wasm, data: {} })).reason).toBe('module_invalid');
  });

  test('is refused where it is WebAssembly of another kind', () => {
    const wasm = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    expect(faultOf(() => createPolicyEngine({ revision: 'r', wasm, data: {} })).reason).toBe('module_invalid');
  });

  test('is refused where it was built for another entrypoint', async () => {
    const answer = await askRego('package other\n\nverdict := {"grant": []}\n', { entrypoints: ['other/verdict'] });
    const wasm = new Uint8Array(Buffer.from(answer.wasm ?? '', 'base64'));
    expect(faultOf(() => createPolicyEngine({ revision: 'r', wasm, data: {} })).reason).toBe('entrypoint_missing');
  });

  // The SDK brings these itself, and none can be taken from it: sprintf throws or lies, regex.split is not linear in time.
  test.each([
    ['sprintf', 'sprintf("%s", [input.x])'],
    ['regex.split', 'regex.split("(a+)+$", input.x)'],
    ['yaml.unmarshal', 'yaml.unmarshal(input.x)'],
  ])('is refused where it needs %s', async (name, call) => {
    const wasm = await someWasm(`decision := ${call}`, { supplied: [name] });
    const fault = faultOf(() => createPolicyEngine({ revision: 'r', wasm, data: {} }));
    expect(fault.reason).toBe('builtin_missing');
    expect(fault.message).toContain(name);
  });

  test('is refused where it needs a function by a name that every object has', async () => {
    // Nobody can write such a rule; a module that was made by hand names what it likes.
    const bent = Buffer.from(await someWasm('decision := crypto.sha256(input.x)'));
    expect(bent.indexOf('crypto.sha256')).toBeGreaterThan(0);
    bent.write('isPrototypeOf', bent.indexOf('crypto.sha256'), 'latin1');
    const fault = faultOf(() => createPolicyEngine({ revision: 'r', wasm: new Uint8Array(bent), data: {} }));
    expect([fault.reason, fault.message]).toEqual(['builtin_missing', expect.stringContaining('isPrototypeOf')]);
  });

  test('is refused by the name of every function it would call us for', async () => {
    const rules = 'decision := [time.now_ns(), http.send({"method": "get", "url": input.url})]';
    const wasm = await someWasm(rules, { supplied: ['time.now_ns', 'http.send'] });
    const fault = faultOf(() => createPolicyEngine({ revision: 'r', wasm, data: {} }));
    expect(fault.reason).toBe('builtin_missing');
    expect(fault.message).toContain('http.send, time.now_ns');
  });
});
