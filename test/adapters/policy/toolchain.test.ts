import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CompiledPolicy, compilePolicy, type PolicyErrors } from '#gateway/adapters/policy/compile.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { runPolicyTests } from '#gateway/adapters/policy/test-runner.ts';
import { openToolchain, type Toolchain } from '#gateway/adapters/policy/toolchain.ts';
import { aToolchain, buildTimeout, packFolder, repository } from '#test/support/rego.ts';

let root: string;
let said: string[];

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);
beforeEach(async () => {
  said = [];
  root = await mkdtemp(join(tmpdir(), 'sekisho-root-'));
  await cp(join(packFolder, 'compiler'), join(root, 'policies', 'compiler'), { recursive: true });
  await mkdir(join(root, 'bin'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A machine that has nothing on its PATH but what the test put into `bin`. */
const bareMachine = (): Promise<Toolchain> =>
  openToolchain({ root, env: { PATH: join(root, 'bin') }, progress: (line) => said.push(line) });

const compile = (toolchain: Toolchain): Promise<CompiledPolicy | PolicyErrors> =>
  compilePolicy({ directory: packFolder, toolchain });

async function shareBuild(): Promise<void> {
  const built = join(repository, 'build', 'rego-compiler');
  await mkdir(join(root, 'build', 'rego-compiler'), { recursive: true });
  for (const name of (await readdir(built)).filter((one) => !one.startsWith('.'))) {
    await symlink(join(built, name), join(root, 'build', 'rego-compiler', name));
  }
}

describe('a machine with neither Go nor opa', () => {
  test('gets one sentence with its three choices, and no policy', async () => {
    const made = await compile(await bareMachine());
    expect(made).toMatchObject({ errors: [{ code: 'compiler_missing', file: '' }] });
    const message = 'errors' in made ? (made.errors[0]?.message ?? '') : '';
    expect(message).toMatch(
      /^No Rego compiler was found: install Go .+, or put an `opa` .+, or let the policy path .+\.$/,
    );
    expect(said).toEqual([]);
  });

  test('uses the compiler that was built before, as in a container image', async () => {
    await shareBuild();
    const made = await compile(await bareMachine());
    expect('errors' in made).toBe(false);
    expect(said).toEqual([]);
  });

  test('does not use one that was built from other sources', async () => {
    await shareBuild();
    await writeFile(join(root, 'policies', 'compiler', 'extra.go'), 'package main\n');
    expect(await compile(await bareMachine())).toMatchObject({ errors: [{ code: 'compiler_missing' }] });
  });
});

describe('a machine with Go', () => {
  const withGo = (): Promise<Toolchain> =>
    openToolchain({ root, env: process.env, progress: (line) => said.push(line) });

  test(
    'builds the compiler once, with one line about it, whatever a process that died left behind',
    async () => {
      const child = spawn(process.execPath, ['-e', '']);
      await once(child, 'close');
      await mkdir(join(root, 'build', 'rego-compiler', `.draft-${child.pid}-x`), { recursive: true });
      const first = await (await withGo()).compiler();
      expect(said).toEqual(['building the Rego compiler (once, about a minute) …']);
      expect(await (await withGo()).compiler()).toEqual(first);
      expect(said).toHaveLength(1);
      const built = (await readdir(join(root, 'build', 'rego-compiler'))).filter((name) => !name.startsWith('.'));
      const [folder = ''] = built;
      expect(folder).toMatch(/^[0-9a-f]{16}-go1\.\d+/);
      expect((await readdir(join(root, 'build', 'rego-compiler', folder))).sort()).toEqual([
        'LICENSE.opa',
        'compiler.wasm',
        'wasm_exec.js',
      ]);
    },
    buildTimeout,
  );

  test(
    'builds it once though three processes start at once, and leaves nothing behind',
    async () => {
      const program = `
      import { openToolchain } from '#gateway/adapters/policy/toolchain.ts';
      const toolchain = await openToolchain({ root: process.argv[1], env: process.env, progress: () => {} });
      console.log(JSON.stringify(await toolchain.compiler()));
    `;
      const starts = [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, root], {
          cwd: repository,
        });
        let out = '';
        child.stdout.on('data', (chunk) => {
          out += chunk;
        });
        await once(child, 'close');
        return JSON.parse(out) as unknown;
      });
      const [one, ...others] = await Promise.all(starts);
      expect(others).toEqual([one, one]);
      const left = await readdir(join(root, 'build', 'rego-compiler'));
      expect(left).toHaveLength(1);
      expect(one).toEqual({ kind: 'built', folder: join(root, 'build', 'rego-compiler', left[0] ?? '') });
    },
    buildTimeout,
  );

  test(
    'says why where the build fails, and goes on to the other choices',
    async () => {
      await writeFile(join(root, 'policies', 'compiler', 'broken.go'), 'package main\n\nfunc broken() { nothing() }\n');
      const toolchain = await openToolchain({
        root,
        env: { ...process.env, PATH: `${process.env.PATH}${delimiter}${join(root, 'bin')}` },
        progress: (line) => said.push(line),
      });
      expect(await compile(toolchain)).toMatchObject({ errors: [{ code: 'compiler_missing' }] });
      expect(said[1]).toContain('the Rego compiler could not be built: ./broken.go:3:17: undefined: nothing');
      expect(await readdir(join(root, 'build', 'rego-compiler'))).toEqual([]);
    },
    buildTimeout,
  );
});

describe('a machine with an opa on its PATH', () => {
  // It stands for OPA's command line: the same arguments, its real output, and a bundle around a module that OPA made.
  const opa = (check: string) => `#!${process.execPath}
const { appendFileSync, readFileSync, writeFileSync, existsSync } = require('node:fs');
const { gzipSync } = require('node:zlib');
const args = process.argv.slice(2);
appendFileSync(__dirname + '/asked', args.join(' ') + '\\n');
const member = (name, bytes) => {
  const head = Buffer.alloc(512);
  head.write(name);
  head.write(bytes.length.toString(8).padStart(11, '0'), 124);
  head[156] = 0x30;
  return Buffer.concat([head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
};
if (args[0] === 'version') console.log('Version: 1.99.0');
if (args[0] === 'capabilities') console.log(JSON.stringify({ builtins: [{ name: 'lower' }, { name: 'http.send' }], features: ['rego_v1', 'rego_v2'] }));
if (args[0] === 'check') { ${check} }
if (args[0] === 'build') {
  if (!existsSync('sekisho/grants.rego')) process.exit(3);
  writeFileSync(__dirname + '/held', readFileSync('../capabilities.json'));
  const bundle = [member('/data.json', readFileSync('data.json')), member('/policy.wasm', readFileSync(__dirname + '/policy.wasm')), Buffer.alloc(1024)];
  writeFileSync(args[args.indexOf('-o') + 1], gzipSync(Buffer.concat(bundle)));
}
`;

  async function install(check = ''): Promise<void> {
    await writeFile(join(root, 'bin', 'opa'), opa(check));
    await chmod(join(root, 'bin', 'opa'), 0o755);
    const made = await compile(await aToolchain());
    if (!('errors' in made)) await writeFile(join(root, 'bin', 'policy.wasm'), made.wasm);
  }

  test('compiles with it, held to the functions that the engine has', async () => {
    await install();
    const made = await compile(await bareMachine());
    if ('errors' in made) throw new Error(JSON.stringify(made));
    expect(made).toMatchObject({ opaVersion: '1.99.0', inputRefs: [''] });
    expect(createPolicyEngine(made).judge({})).toMatchObject({ grant: [] });
    const held = JSON.parse(await readFile(join(root, 'bin', 'held'), 'utf8'));
    expect(held).toEqual({
      builtins: [{ name: 'lower' }],
      features: ['rego_v1'],
      future_keywords: ['not'],
      allow_net: [],
    });
    const asked = await readFile(join(root, 'bin', 'asked'), 'utf8');
    expect(asked).toContain('check --strict --format json --capabilities ../capabilities.json .\n');
    expect(asked).toContain('build -t wasm --capabilities ../capabilities.json -e sekisho/decision -o ');
  });

  test('names file, line and column of what is broken, and what to write instead', async () => {
    const error = {
      message: 'undefined function sprintf',
      code: 'rego_type_error',
      location: { file: 'a.rego', row: 3, col: 13 },
    };
    await install(`console.error(${JSON.stringify(JSON.stringify({ errors: [error] }))}); process.exit(1)`);
    const made = await compile(await bareMachine());
    expect(made).toMatchObject({ errors: [{ file: 'a.rego', row: 3, col: 13, code: 'rego_type_error' }] });
    expect('errors' in made && made.errors[0]?.message).toContain('write a template string');
  });

  test('refuses the negation that vanishes, as the other compiler does', async () => {
    await install();
    const directory = join(root, 'own');
    await mkdir(directory);
    const rules =
      'package sekisho\n\ndecision contains "is not" if not input.a # not b\n\ndecision contains 2 if not f(input.x)\n';
    await writeFile(join(directory, 'a.rego'), rules);
    const made = await compilePolicy({ directory, toolchain: await bareMachine() });
    expect(made).toMatchObject({ errors: [{ file: 'a.rego', row: 5, col: 24, code: 'not_vanishes' }] });
  });

  test('says that policy tests need the other compiler', async () => {
    await install();
    const report = await runPolicyTests({ directory: packFolder, toolchain: await bareMachine() });
    expect(report).toMatchObject({ errors: [{ code: 'compiler_limited' }], tests: [] });
  });
});
