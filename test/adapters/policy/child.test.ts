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

/** Asks a compiler whose runtime (`wasm_exec.js`) is this text and whose module is empty. */
async function askBroken(runtime: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-compiler-'));
  try {
    await mkdir(join(folder, 'compiler'));
    await writeFile(join(folder, 'compiler', 'wasm_exec.js'), runtime);
    await writeFile(join(folder, 'compiler', 'compiler.wasm'), new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    const compiler = async () => ({ kind: 'built', folder: join(folder, 'compiler') }) as const;
    const request = { mode: 'build', files: { 'a.rego': 'package a\n' }, data: {}, entrypoints: [] } as const;
    return await askCompiler({ ...(await aToolchain()), compiler }, request, join(folder, 'cache'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a compiler that fails gives no policy, but says so', async () => {
  const answer = await askBroken('throw new Error("broken in two")');
  expect(answer).toMatchObject({ diagnostics: [{ code: 'compiler_failed' }] });
  expect(answer.diagnostics[0]?.message).toContain('broken in two');
  expect(answer.wasm).toBeUndefined();
});

test('a timer that the Go runtime leaves behind does not spoil what it has answered', async () => {
  const answer = await askBroken(`
    globalThis.Go = class {
      importObject = {};
      async run() {
        setTimeout(() => { throw new Error('Go program has already exited'); }, 50);
        const text = new TextEncoder().encode('{"opaVersion": "1.0.0", "diagnostics": []}');
        globalThis.fs.writeSync(1, text);
        this.exit(0);
      }
    };
  `);
  expect(answer).toEqual({ opaVersion: '1.0.0', diagnostics: [] });
});
