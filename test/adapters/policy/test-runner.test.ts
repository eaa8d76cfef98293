import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PolicyTestReport, runPolicyTests } from '#gateway/adapters/policy/test-runner.ts';
import { aToolchain, buildTimeout, packFolder } from '#test/support/rego.ts';

let folder: string;

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-policy-tests-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(tests: string, files: Record<string, string> = {}): Promise<PolicyTestReport> {
  const all = {
    'x/a_test.rego': `package x_test\n\nimport data.x\n\n${tests}\n`,
    'x/a.rego': 'package x\n\nmay if input.ok\n',
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return runPolicyTests({ directory: folder, toolchain: await aToolchain() });
}

describe('policy tests', () => {
  test('pass and fail, each with its name and its place', async () => {
    const tests = [
      'test_good if x.may with input as {"ok": true}',
      'test_bad if x.may with input as {"ok": false}',
      'test_false := false',
      'test_word := "yes" if x.may with input.ok as true',
    ];
    expect((await run(tests.join('\n\n'))).tests).toEqual([
      { name: 'test_good', file: 'x/a_test.rego', row: 5, passed: true, error: null },
      { name: 'test_bad', file: 'x/a_test.rego', row: 7, passed: false, error: 'a line of it does not hold' },
      { name: 'test_false', file: 'x/a_test.rego', row: 9, passed: false, error: 'it is false, not true' },
      { name: 'test_word', file: 'x/a_test.rego', row: 11, passed: false, error: 'it is "yes", not true' },
    ]);
  });

  test('fail where the engine throws, and the next one runs', async () => {
    const conflict =
      'y := 1 if x.may\n\ny := 2 if input.b\n\ntest_both if y == 1 with input as {"ok": true, "b": true}';
    const { tests } = await run(`${conflict}\n\ntest_one if y == 1 with input as {"ok": true}`);
    expect(tests.map(({ passed }) => passed)).toEqual([false, true]);
    expect(tests[0]?.error).toContain('conflict');
  });

  test('may replace data, rules and functions', async () => {
    const tests = [
      'test_data if data.who == "bob" with data.who as "bob"',
      'test_real_data if data.who == "ann"',
      'test_rule if x.may == "mocked" with x.may as "mocked"',
      'test_builtin if lower("A") == "mocked" with lower as "mocked"',
    ];
    const report = await run(tests.join('\n\n'), { 'data.json': '{"who": "ann"}' });
    expect(report.tests.map(({ name, passed }) => [name, passed])).toEqual([
      ['test_data', true],
      ['test_real_data', true],
      ['test_rule', true],
      ['test_builtin', true],
    ]);
  });

  test('say which rules held in one of them, branch by branch', async () => {
    const rules = [
      'package x\n\nmay if input.ok\n\nmay if input.never\n',
      'default level := 0\n\nlevel := 2 if {\n\tinput.high\n} else := 1 if {\n\tinput.ok\n}\n',
      'double(n) := n * 2\n\nfound contains x if some x in input.list\n',
    ];
    await run('test_a if x.may with input as {"ok": true}\n\ntest_b if x.level == 1 with input as {"ok": true}', {
      'x/a.rego': rules.join('\n'),
    });
    const { tests, coverage } = await runPolicyTests({
      directory: folder,
      toolchain: await aToolchain(),
      coverage: true,
    });
    expect(tests.every(({ passed }) => passed)).toBe(true);
    expect(coverage?.rules.map(({ name, row, held }) => [name, row, held])).toEqual([
      ['may', 3, true],
      ['may', 5, false],
      ['level', 9, false],
      ['level', 11, true],
      ['double', 15, false],
      ['found', 17, false],
    ]);
    expect(coverage?.percent).toBeCloseTo(33.3, 1);
  });

  test('are refused where a failure could hide: the same name twice, or cases', async () => {
    const { errors, tests } = await run(
      'test_a if x.may\n\ntest_a if true\n\ntest_b[name] if {\n\tsome name in ["c"]\n}\n\ntest_c contains 1\n\ntest_d.e := true',
    );
    expect(tests).toEqual([]);
    expect(errors.map(({ code, row }) => [row, code])).toEqual([
      [7, 'test_defined_twice'],
      [9, 'test_with_cases'],
      [13, 'test_with_cases'],
      [15, 'test_with_cases'],
    ]);
  });

  test('do not run where the policies do not compile', async () => {
    const report = await run('test_a if x.may', { 'x/b.rego': 'package x\n\nbroken :=\n' });
    expect(report.tests).toEqual([]);
    expect(report.errors[0]).toMatchObject({ file: 'x/b.rego', row: 4 });
  });

  test('may be none at all', async () => {
    await writeFile(join(folder, 'a.rego'), 'package x\n');
    expect(await runPolicyTests({ directory: folder, toolchain: await aToolchain() })).toEqual({
      errors: [],
      tests: [],
    });
  });
});

describe('the shipped pack', () => {
  test('passes all of its own tests on the engine that enforces', async () => {
    const { errors, tests } = await runPolicyTests({ directory: packFolder, toolchain: await aToolchain() });
    expect(errors).toEqual([]);
    expect(tests.filter(({ passed }) => !passed)).toEqual([]);
    expect(tests.length).toBeGreaterThan(40);
  });
});
