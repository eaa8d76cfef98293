import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { policyCommand } from '#gateway/cli/policy.ts';
import { aToolchain, buildTimeout, packFolder, repository } from '#test/support/rego.ts';

let folder: string;

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-cli-policy-'));
  await cp(packFolder, join(folder, 'policies'), { recursive: true });
  folder = join(folder, 'policies');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

async function sekisho(...args: string[]): Promise<{ out: string[]; err: string[]; code: number }> {
  const out: string[] = [];
  const err: string[] = [];
  let code = 0;
  const terminal = {
    env: process.env,
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    exit: (wanted: number) => {
      code = wanted;
    },
  };
  await policyCommand(terminal).parseAsync(args, { from: 'user' });
  return { out, err, code };
}

const breakIt = () => writeFile(join(folder, 'sekisho', 'more.rego'), 'package sekisho\n\ndeny contains x if {\n');
const failIt = () =>
  writeFile(join(folder, 'sekisho', 'more_test.rego'), 'package more_test\n\ntest_me if input.never\n');
const brokenLine = () => `${join(folder, 'sekisho', 'more.rego')}:4:1: rego_parse_error: unexpected eof token`;

describe('sekisho policy build', () => {
  test('prints the revision', async () => {
    const { out, err, code } = await sekisho('build', folder);
    expect(code).toBe(0);
    expect(err).toEqual([]);
    expect(out).toEqual([expect.stringMatching(/^sha256-[0-9a-f]{16} {2}\(\d+ bytes, OPA 1\.\d+\.\d+\)$/)]);
  });

  test('writes a bundle that loads without a compiler, and decides alike', async () => {
    const bundle = join(folder, '..', 'bundle');
    await sekisho('build', folder, '--out', bundle);
    const input = ['--input', join(packFolder, 'example-input.json')];
    const { out } = await sekisho('eval', bundle, ...input);
    expect(out).toEqual((await sekisho('eval', folder, ...input)).out);
  });

  test('names what is broken and ends with 3', async () => {
    await breakIt();
    expect(await sekisho('build', folder)).toEqual({ out: [], err: [expect.stringContaining(brokenLine())], code: 3 });
    const { out, code } = await sekisho('build', folder, '--json');
    expect(code).toBe(3);
    expect(JSON.parse(out[0] ?? '').errors[0]).toMatchObject({ file: 'sekisho/more.rego', row: 4, col: 1 });
  });
});

describe('sekisho policy check', () => {
  test('ends with 0 where nothing is wrong, with nothing on stdout', async () => {
    expect(await sekisho('check', folder)).toEqual({ out: [], err: [`${folder}: nothing is wrong`], code: 0 });
    expect(await sekisho('check', folder, '--json')).toEqual({ out: ['{"errors":[]}'], err: [], code: 0 });
  });

  test('looks into the tests as well', async () => {
    await writeFile(join(folder, 'a_test.rego'), 'package a_test\n\ntest_x if sprintf("%s", [1]) == "1"\n');
    const { err, code } = await sekisho('check', folder);
    expect(code).toBe(3);
    expect(err[0]).toContain(`${join(folder, 'a_test.rego')}:3:11: builtin_forbidden`);
  });
});

describe('sekisho policy test', () => {
  test('ends with the counts', async () => {
    const { out, code } = await sekisho('test', folder);
    expect(code).toBe(0);
    expect(out.at(-1)).toMatch(/^\d+ passed, 0 failed$/);
    const line = /^ok {4}\S+\/actions_test\.rego:\d+ +test_a_tool_with_an_action_is_classified$/;
    expect(out).toContainEqual(expect.stringMatching(line));
  });

  test('ends with 1 where one fails, and says where', async () => {
    await failIt();
    const { out, code } = await sekisho('test', folder);
    expect(code).toBe(1);
    expect(out.at(-1)).toMatch(/^\d+ passed, 1 failed$/);
    expect(out.find((line) => line.startsWith('FAIL'))).toMatch(
      /more_test\.rego:3 +test_me: a line of it does not hold$/,
    );
    const report = JSON.parse((await sekisho('test', folder, '--json')).out[0] ?? '');
    expect(report.tests.filter((one: { passed: boolean }) => !one.passed)).toHaveLength(1);
  });

  test('ends with 3 where the policies do not compile', async () => {
    await breakIt();
    expect(await sekisho('test', folder)).toEqual({ out: [], err: [expect.stringContaining(brokenLine())], code: 3 });
  });
});

describe('sekisho policy test for those who write policies', () => {
  test('--coverage names the rules that held in no test, and --threshold ends with 1 below it', async () => {
    await writeFile(join(folder, 'sekisho', 'more.rego'), 'package sekisho\n\nnobody if input.v == 7\n');
    const { out, code } = await sekisho('test', folder, '--coverage');
    expect(code).toBe(0);
    expect(out.find((line) => line.startsWith('never'))).toBe(
      `never  ${join(folder, 'sekisho', 'more.rego')}:3  nobody`,
    );
    expect(out.at(-2)).toMatch(/^\d+ of \d+ rules held in a test \(9\d\.\d %\)$/);
    expect((await sekisho('test', folder, '--threshold', '90')).code).toBe(0);
    expect((await sekisho('test', folder, '--threshold', '100')).code).toBe(1);
  });

  test('--junit writes what CI servers read', async () => {
    await failIt();
    const file = join(folder, '..', 'results.xml');
    expect((await sekisho('test', folder, '--junit', file)).code).toBe(1);
    expect(await readFile(file, 'utf8')).toContain('<testcase name="test_me"');
  });

  test('--watch runs again when a file changes, until a signal ends it', async () => {
    const cli = join(repository, 'gateway', 'cli', 'main.ts');
    const child = spawn(process.execPath, [cli, 'policy', 'test', folder, '--watch'], { cwd: repository });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += String(chunk)));
    const until = async (text: RegExp) => {
      for (let waited = 0; !text.test(said) && waited < 15_000; waited += 50) await sleep(50);
      expect(said).toMatch(text);
    };
    try {
      await until(/0 failed\nwaiting for a change …\n$/);
      await sleep(200);
      await failIt();
      await until(/FAIL .*test_me[\s\S]*1 failed\nwaiting for a change …\n$/);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }, 40_000);
});

test('sekisho policy version names what compiles and what evaluates', async () => {
  const { out, code } = await sekisho('version');
  expect(code).toBe(0);
  expect(out[0]).toMatch(/^opa +1\.\d+\.\d+$/);
  expect(out.join('\n')).toMatch(/compiler +the compiler built from [0-9a-f]{16}\nopa-wasm +1\.10\.0\nre2js +\d/);
});

describe('sekisho policy fmt', () => {
  test('says which files would change, then changes them, then has nothing to do', async () => {
    const file = join(folder, 'sekisho', 'tiers.rego');
    const neat = await readFile(file, 'utf8');
    await writeFile(file, neat.replaceAll('\t', '  '));
    expect(await sekisho('fmt', folder, '--check')).toEqual({ out: [file], err: [], code: 1 });
    expect(await sekisho('fmt', folder)).toEqual({ out: [file], err: [], code: 0 });
    expect(await readFile(file, 'utf8')).toBe(neat);
    expect(await sekisho('fmt', folder, '--check')).toEqual({ out: [], err: [], code: 0 });
  });

  test('leaves files alone that it cannot read', async () => {
    await breakIt();
    const { code } = await sekisho('fmt', folder);
    expect(code).toBe(3);
    expect(await readFile(join(folder, 'sekisho', 'more.rego'), 'utf8')).toContain('deny contains x if {');
  });
});

describe('sekisho policy eval', () => {
  test('prints the decision', async () => {
    const { out, code } = await sekisho('eval', folder, '--input', join(packFolder, 'example-input.json'));
    expect(code).toBe(0);
    expect(JSON.parse(out[0] ?? '').deny[0].code).toBe('PATH_OUTSIDE_ROOT');
  });

  test.each([
    ['no JSON', '{', 'Expected property name'],
    ['no object', '[]', 'the policy input is not a plain object'],
  ])('ends with 1 where the input is %s', async (_, text, complaint) => {
    const file = join(folder, '..', 'input.json');
    await writeFile(file, text);
    const { out, err, code } = await sekisho('eval', folder, '--input', file);
    expect([out, code]).toEqual([[], 1]);
    expect(err[0]).toContain(`${file}: `);
    expect(err[0]).toContain(complaint);
  });

  test('ends with 1 where there is no input', async () => {
    const file = join(folder, 'nowhere.json');
    expect(await sekisho('eval', folder, '--input', file)).toEqual({
      out: [],
      err: [`${file}: there is no such file`],
      code: 1,
    });
  });
});

test.each(['build', 'check', 'test', 'fmt'])('sekisho policy %s says where there is no folder', async (verb) => {
  const { err, code } = await sekisho(verb, join(folder, 'nowhere'));
  expect(code).toBe(3);
  expect(err[0]).toContain('policy_missing: there is no ');
});
