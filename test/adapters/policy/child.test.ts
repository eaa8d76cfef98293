import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChild } from '#gateway/adapters/policy/child.ts';
import { askCompiler } from '#gateway/adapters/policy/compiler.ts';
import { aToolchain } from '#test/support/rego.ts';

const node = (program: string, timeoutMs = 20_000, stdin = '') =>
  runChild(process.execPath, ['-e', program], { env: {}, timeoutMs, stdin });

test('a child is given its input and nothing of our environment', async () => {
  const ended = await node(
    'process.stdout.write(require("fs").readFileSync(0) + JSON.stringify(process.env))',
    20_000,
    'hi ',
  );
  expect(ended).toMatchObject({ code: 0, stdout: Buffer.from('hi {}') });
});

test('a child that does not end is killed', async () => {
  expect(await node('setInterval(() => {}, 1000)', 300)).toMatchObject({ code: null });
});

test('a child that says too much is killed', async () => {
  const ended = await node('const line = "x".repeat(1 << 20); for (;;) require("fs").writeSync(1, line)');
  expect(ended?.code).toBeNull();
  expect(ended?.stdout.length).toBeLessThanOrEqual(64 * 1024 * 1024);
});

test('a child that does not read its input is no fault of ours', async () => {
  expect(await node('process.exit(3)', 20_000, 'x'.repeat(1 << 22))).toMatchObject({ code: 3 });
});

test('a program that is not there is null', async () => {
  expect(await runChild('no-such-program', [], { env: {}, timeoutMs: 1_000 })).toBeNull();
});

test('a compiler that fails gives no policy, but says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-compiler-'));
  try {
    await mkdir(join(folder, 'compiler'));
    await writeFile(join(folder, 'compiler', 'wasm_exec.js'), 'throw new Error("broken in two")');
    const compiler = async () => ({ kind: 'built', folder: join(folder, 'compiler') }) as const;
    const request = { mode: 'build', files: { 'a.rego': 'package a\n' }, data: {}, entrypoints: [] } as const;
    const answer = await askCompiler({ ...(await aToolchain()), compiler }, request, join(folder, 'cache'));
    expect(answer).toMatchObject({ diagnostics: [{ code: 'compiler_failed' }] });
    expect(answer.diagnostics[0]?.message).toContain('broken in two');
    expect(answer.wasm).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
