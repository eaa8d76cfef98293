import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkPolicies } from '#gateway/adapters/policy/check.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  describePolicyError,
  type PolicyErrors,
} from '#gateway/adapters/policy/compile.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { checkPolicyFormat, formatPolicies } from '#gateway/adapters/policy/format.ts';
import type { Toolchain } from '#gateway/adapters/policy/toolchain.ts';
import { aToolchain, buildTimeout, packFolder } from '#test/support/rego.ts';

let folder: string;
let toolchain: Toolchain;

beforeAll(async () => {
  toolchain = await aToolchain();
  await toolchain.compiler();
}, buildTimeout);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-policies-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

const compile = (directory = folder): Promise<CompiledPolicy | PolicyErrors> => compilePolicy({ directory, toolchain });

async function compiled(directory = folder): Promise<CompiledPolicy> {
  const made = await compile(directory);
  if ('errors' in made) throw new Error(made.errors.map((error) => describePolicyError(error, directory)).join('\n'));
  return made;
}

async function complaints(): Promise<string[]> {
  const made = await compile();
  if (!('errors' in made)) throw new Error('it compiled');
  return made.errors.map((error) => describePolicyError(error, 'policies'));
}

const fine = 'package sekisho\n\ndecision := {"grant": [], "who": data.who, "tool": input.tool.name}\n';

describe('a folder of policies', () => {
  test('becomes a module with its data, its revision and the input it reads', async () => {
    await write({ 'sekisho/decision.rego': fine, 'data.json': '{"who": "ann"}' });
    const made = await compiled();
    expect(made).toMatchObject({ data: { who: 'ann' }, inputRefs: ['tool.name'] });
    expect(made.revision).toMatch(/^sha256-[0-9a-f]{16}$/);
    expect(made.opaVersion).toMatch(/^1\.\d+\.\d+$/);
    expect(createPolicyEngine(made).judge({ tool: { name: 'x' } })).toEqual({ grant: [], who: 'ann', tool: 'x' });
  });

  test('has the same module and revision wherever it lies', async () => {
    await write({ 'one/a.rego': fine, 'two/a.rego': fine });
    const [one, two] = [await compiled(join(folder, 'one')), await compiled(join(folder, 'two'))];
    expect(one.revision).toBe(two.revision);
    expect(Buffer.from(one.wasm).equals(two.wasm)).toBe(true);
  });

  test('has another revision when a rule or the data changes, and the same when only a test does', async () => {
    await write({ 'a.rego': fine, 'data.json': '{"who": "ann"}' });
    const first = (await compiled()).revision;
    await write({ 'a_test.rego': 'package sekisho_test\n\ntest_nothing := true\n' });
    expect((await compiled()).revision).toBe(first);
    await write({ 'data.json': '{"who": "bob"}' });
    const second = (await compiled()).revision;
    expect(second).not.toBe(first);
    await write({ 'a.rego': `${fine}\nextra := 1\n` });
    expect((await compiled()).revision).not.toBe(second);
  });

  test('has its tests left out of what is enforced', async () => {
    await write({
      'a.rego': fine,
      'a_test.rego': 'package sekisho\n\ndecision := {"grant": ["everything"]} if input.x\n',
    });
    const { inputRefs } = await compiled();
    expect(inputRefs).toEqual(['tool.name']);
  });

  test('may mount data by folder, as OPA does', async () => {
    await write({ 'a.rego': fine, 'data.json': '{"who": "ann"}', 'acme/teams/data.json': '{"red": 1}' });
    expect((await compiled()).data).toEqual({ who: 'ann', acme: { teams: { red: 1 } } });
  });

  test('may be a mounted ConfigMap: links into a hidden folder', async () => {
    await write({ '..data/a.rego': fine, '..data/data.json': '{"who": "ann"}' });
    for (const name of ['a.rego', 'data.json']) await symlink(join('..data', name), join(folder, name));
    expect(createPolicyEngine(await compiled()).judge({ tool: { name: 'x' } })).toMatchObject({ who: 'ann' });
  });

  test('reads the input that its rules read, whole where they take it whole', async () => {
    const reads = async (body: string): Promise<readonly string[]> => {
      await write({ 'a.rego': `package sekisho\n\ndecision contains x if {\n\t${body}\n}\n` });
      return (await compiled()).inputRefs;
    };
    expect(await reads('x := input.facts.paths[_].root')).toEqual(['facts.paths']);
    // Not the same as nobody knowing what it reads: one answer is good for all.
    expect(await reads('x := 1')).toEqual([]);
    expect(await reads('some k\n\tx := input.server[k]')).toEqual(['server']);
    expect(await reads('t := input.tool\n\tx := t.name')).toEqual(['tool']);
    expect(await reads('x := lower(input.a.b)\n\tinput.c == data.d[input.e]')).toEqual(['a.b', 'c', 'e']);
    expect(await reads('x := input["a.b"].c')).toEqual(['']);
    expect(await reads('x := input')).toEqual(['']);
    expect(await reads('some k\n\tx := input[k]')).toEqual(['']);
    expect(await reads('walk(input, [_, x])')).toEqual(['']);
  });
});

describe('a broken policy is named with file, line and column', () => {
  test.each([
    ['a syntax error', 'decision := {', 'policies/a.rego:4:1: rego_parse_error: unexpected eof token'],
    ['an unknown name', 'decision := foo', 'policies/a.rego:3:13: rego_unsafe_var_error: var foo is unsafe'],
    ['a wrong type', 'decision := 1 + "a"', 'policies/a.rego:3:13: rego_type_error: plus: invalid argument(s)'],
    [
      'an unused variable',
      'decision if {\n\tx := 1\n}',
      'policies/a.rego:4:2: rego_compile_error: assigned var x unused',
    ],
    ['recursion', 'decision := other\n\nother := decision', 'policies/a.rego:3:1: rego_recursion_error: '],
    ['old syntax', 'decision { true }', 'policies/a.rego:3:1: rego_parse_error: `if` keyword is required'],
    ['Rego v2', 'import rego.v2\n\ndecision := 1', 'policies/a.rego:3:8: rego_parse_error: invalid import'],
    ['no decision', 'decide := 1', 'policies: entrypoint_missing: no policy defines data.sekisho.decision'],
  ])('%s', async (_, rules, complaint) => {
    await write({ 'a.rego': `package sekisho\n\n${rules}\n` });
    expect((await complaints())[0]).toContain(complaint);
  });

  test.each([
    ['http.send', 'http.send({"method": "get", "url": "x"})'],
    ['opa.runtime', 'opa.runtime()'],
    ['net.lookup_ip_addr', 'net.lookup_ip_addr("x")'],
    ['rand.intn', 'rand.intn("x", 2)'],
    ['time.now_ns', 'time.now_ns()'],
    ['uuid.rfc4122', 'uuid.rfc4122("x")'],
    ['sprintf', 'sprintf("%s", [1])'],
    ['crypto.md5', 'crypto.md5("x")'],
    ['object.subset', 'object.subset({1, 2, 3}, {1, 3})'],
  ])('%s is not available', async (name, call) => {
    await write({ 'a.rego': `package sekisho\n\ndecision := [x | x := ${call}]\n` });
    const [first] = await complaints();
    expect(first).toContain('policies/a.rego:3:');
    expect(first).toContain(`builtin_forbidden: ${name} is not available in a policy: `);
  });

  test('nor inside of other calls, as a mock, or under another name', async () => {
    const rules = [
      'decision := lower(concat("", [sprintf("%s", ["a"])]))',
      'mocked := 1 if count([]) == 0 with time.now_ns as 7',
      'aliased if f("a") == 1 with f as http.send',
      'f(x) := x',
    ];
    await write({ 'a.rego': `package sekisho\n\n${rules.join('\n\n')}\n` });
    const found = await complaints();
    expect(found.map((line) => line.split(' is not')[0])).toEqual([
      'policies/a.rego:3:31: builtin_forbidden: sprintf',
      'policies/a.rego:5:36: builtin_forbidden: time.now_ns',
      'policies/a.rego:7:34: builtin_forbidden: http.send',
    ]);
  });

  test('sprintf is answered with what to write instead', async () => {
    await write({ 'a.rego': 'package sekisho\n\ndecision := sprintf("%s", [input.x])\n' });
    expect((await complaints())[0]).toContain('write a template string: $"{input.x} is no good"');
  });

  test('a negation that would skip the rule where something is undefined', async () => {
    const rule = 'decision contains 1 if not "read" in data.tiers[input.tier]';
    await write({ 'a.rego': `package sekisho\n\n${rule}\n` });
    expect((await complaints())[0]).toContain('policies/a.rego:3:24: not_vanishes: ');
    await write({ 'a.rego': `package sekisho\n\nimport future.keywords.not\n\n${rule}\n` });
    expect(createPolicyEngine(await compiled()).judge({ tier: 'nowhere' })).toEqual([1]);
  });

  test('a plain negation needs nothing', async () => {
    await write({ 'a.rego': 'package sekisho\n\ndecision contains 1 if not input.approved\n' });
    expect(createPolicyEngine(await compiled()).judge({})).toEqual([1]);
  });

  test('every file that is broken', async () => {
    await write({ 'a.rego': 'package a\n\nx :=\n', 'b/b.rego': 'package b\n\ny = \n', 'data.json': '{}' });
    const found = await complaints();
    expect(found.some((line) => line.startsWith('policies/a.rego:'))).toBe(true);
    expect(found.some((line) => line.startsWith('policies/b/b.rego:'))).toBe(true);
  });

  test.each([
    ['not JSON', '{\n  "a": 1,\n  b: 2\n}', 'policies/data.json:3:3: data_invalid: unexpected "b"'],
    ['cut short', '{"a": [1, 2', 'policies/data.json:1:12: data_invalid: unexpected end of file'],
    ['followed by more', '{} {}', 'policies/data.json:1:4: data_invalid: unexpected "{"'],
    ['a key given twice', '{\n"a": 1,\n "a": 2}', 'policies/data.json:3:2: data_invalid: the key "a" is given twice'],
    ['not an object', '[]', 'policies/data.json:1:1: data_invalid: data must be an object'],
    ['where a rule is', '{"sekisho": {"decision": 1}}', 'policies/a.rego:3:1: rego_compile_error: conflict'],
  ])('data that is %s', async (_, data, complaint) => {
    await write({ 'a.rego': fine, 'data.json': data });
    expect((await complaints())[0]).toContain(complaint);
  });

  test('data given twice, or as YAML', async () => {
    await write({ 'a.rego': fine, 'data.json': '{"x": {"y": 1}}', 'x/data.json': '{"y": 2}', 'z/data.yaml': 'a: 1' });
    expect(await complaints()).toEqual([
      'policies/z/data.yaml:1:1: data_not_json: data is read from data.json only',
      'policies/x/data.json:1:1: data_conflict: x.y is already given by another data.json',
    ]);
  });

  test('no folder, and an empty one', async () => {
    expect((await complaints())[0]).toContain('policy_missing: there is no .rego file and no policy.wasm in');
    await rm(folder, { recursive: true });
    expect((await complaints())[0]).toContain('policy_missing: there is no ');
  });
});

describe('a bundle that was built elsewhere', () => {
  test('needs no compiler', async () => {
    await write({ 'src/a.rego': fine, 'bundle/data.json': '{"who": "ann"}' });
    await writeFile(join(folder, 'bundle', 'policy.wasm'), (await compiled(join(folder, 'src'))).wasm);
    const none = { ...toolchain, compiler: async () => null };
    const made = await compilePolicy({ directory: join(folder, 'bundle'), toolchain: none });
    if ('errors' in made) throw new Error('it did not load');
    expect(made).toMatchObject({ inputRefs: [''], opaVersion: 'unknown' });
    expect(createPolicyEngine(made).judge({ tool: { name: 'x' } })).toMatchObject({ who: 'ann', tool: 'x' });
  });

  test('may not lie beside .rego files: which of the two is meant?', async () => {
    await write({ 'a.rego': fine, 'policy.wasm': 'x' });
    expect((await complaints())[0]).toContain('policy_ambiguous');
  });

  test('is refused where it is no archive', async () => {
    await write({ 'bundle.tar.gz': 'not gzip' });
    const made = await compile(join(folder, 'bundle.tar.gz'));
    expect('errors' in made && made.errors[0]?.code).toBe('bundle_invalid');
  });
});

describe('what was compiled once', () => {
  test('is not compiled again, and needs no compiler then', async () => {
    await write({ 'src/a.rego': fine });
    const cache = join(folder, 'cache');
    const first = await compilePolicy({ directory: join(folder, 'src'), toolchain, cache });
    const none = { ...toolchain, compiler: async () => null };
    expect(await compilePolicy({ directory: join(folder, 'src'), toolchain: none, cache })).toEqual(first);
  });

  test('is compiled again where what was kept has been changed', async () => {
    await write({ 'src/a.rego': fine });
    const cache = join(folder, 'cache');
    const first = await compilePolicy({ directory: join(folder, 'src'), toolchain, cache });
    const [kept = ''] = await readdir(cache);
    const text = await readFile(join(cache, kept), 'utf8');
    await writeFile(join(cache, kept), text.replace('"opaVersion":"1', '"opaVersion":"9'));
    expect(await compilePolicy({ directory: join(folder, 'src'), toolchain, cache })).toEqual(first);
  });

  test('is nothing where the folder cannot be written: then it is compiled each time', async () => {
    await write({ 'src/a.rego': fine, cache: 'a file, not a folder' });
    const options = { directory: join(folder, 'src'), toolchain, cache: join(folder, 'cache') };
    expect(await compilePolicy(options)).toMatchObject({ inputRefs: ['tool.name'] });
  });

  test('is never a broken policy', async () => {
    await write({ 'src/a.rego': 'package sekisho\n\ndecision :=\n' });
    const cache = join(folder, 'cache');
    await compilePolicy({ directory: join(folder, 'src'), toolchain, cache });
    await expect(readdir(cache)).rejects.toThrow('ENOENT');
  });
});

describe('the shipped pack', () => {
  test('compiles, its tests too', async () => {
    expect(await checkPolicies(packFolder, toolchain)).toEqual({ errors: [] });
  });

  test('is written as opa fmt writes it', async () => {
    expect(await checkPolicyFormat({ directory: packFolder, toolchain })).toEqual({ errors: [], changed: {} });
  });

  test('is put right by formatting where it is not', async () => {
    await cp(join(packFolder, 'sekisho'), folder, { recursive: true });
    const neat = await readFile(join(folder, 'tiers.rego'), 'utf8');
    await writeFile(join(folder, 'tiers.rego'), neat.replaceAll('\t', '   '));
    expect(Object.keys((await formatPolicies({ directory: folder, toolchain })).changed)).toEqual(['tiers.rego']);
    expect(await readFile(join(folder, 'tiers.rego'), 'utf8')).toBe(neat);
  });

  test('reads only what it needs of the input', async () => {
    const { inputRefs } = await compiled(packFolder);
    expect(inputRefs).toContain('facts.paths');
    expect(inputRefs).not.toContain('');
    expect(inputRefs.some((path) => path.startsWith('arguments'))).toBe(false);
  });
});
