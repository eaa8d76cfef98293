import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readBundle } from './bundle.ts';
import { runChild } from './child.ts';
import { type CompilerAnswer, type CompilerRequest, type PolicyError, refusal } from './compiler-protocol.ts';
import type { Toolchain } from './toolchain.ts';

interface Opa {
  readonly folder: string;
  run(...args: string[]): Promise<{ ok: boolean; stdout: string; stderr: string }>;
}

interface Builtins {
  readonly allowed: readonly string[];
  readonly instead: Readonly<Record<string, string>>;
}

const limitMs = 120_000;

/** The second choice: an `opa` that is installed here, held to the same functions and the same strictness. */
export async function askOpa(command: string, toolchain: Toolchain, request: CompilerRequest): Promise<CompilerAnswer> {
  if (request.mode === 'test') {
    return refusal('compiler_limited', 'policy tests need the compiler that Go builds: install Go 1.26 or newer');
  }
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-opa-'));
  try {
    const opa = { folder, run: runner(command, join(folder, 'src'), toolchain.env) };
    const builtins = JSON.parse(await readFile(join(toolchain.sources, 'builtins.json'), 'utf8')) as Builtins;
    await layOut(opa, request, builtins);
    if (request.mode === 'format') return await format(opa, request);
    return await compile(opa, request, builtins);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runner(command: string, cwd: string, env: NodeJS.ProcessEnv): Opa['run'] {
  return async (...args) => {
    const ended = await runChild(command, args, { cwd, env, timeoutMs: limitMs });
    if (ended === null) return { ok: false, stdout: '', stderr: `${command} is gone` };
    return { ok: ended.code === 0, stdout: ended.stdout.toString('utf8'), stderr: ended.stderr };
  };
}

async function layOut(opa: Opa, request: CompilerRequest, builtins: Builtins): Promise<void> {
  for (const [path, text] of Object.entries(request.files)) {
    const target = join(opa.folder, 'src', path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  if (request.mode === 'format') return;
  await writeFile(join(opa.folder, 'src', 'data.json'), JSON.stringify(request.data));
  const own = await opa.run('capabilities', '--current');
  if (!own.ok) throw new Error(`opa does not name its capabilities: ${own.stderr.slice(0, 500)}`);
  const all = JSON.parse(own.stdout) as { builtins: { name: string }[]; features?: string[] };
  const held = {
    ...all,
    builtins: all.builtins.filter(({ name }) => builtins.allowed.includes(name) || request.supplied?.includes(name)),
    features: all.features?.filter((name) => !name.startsWith('rego_v2')),
    future_keywords: ['not'],
    allow_net: [],
  };
  await writeFile(join(opa.folder, 'capabilities.json'), JSON.stringify(held));
  if (request.schemas) await writeFile(join(opa.folder, 'input.json'), JSON.stringify(request.schemas.input));
}

async function compile(opa: Opa, request: CompilerRequest, builtins: Builtins): Promise<CompilerAnswer> {
  const diagnostics = Object.entries(request.files).flatMap(([file, text]) => vanishingNegations(file, text));
  const limits = ['--capabilities', join('..', 'capabilities.json')];
  const schema = request.schemas === undefined ? [] : ['--schema', join('..', 'input.json')];
  const checked = await opa.run('check', '--strict', '--format', 'json', ...limits, ...schema, '.');
  if (!checked.ok) diagnostics.push(...errorsOf(checked.stderr, builtins));
  if (diagnostics.length > 0) return { opaVersion: '', diagnostics };

  const bundle = join(opa.folder, 'bundle.tar.gz');
  const entrypoints = request.entrypoints.flatMap((entrypoint) => ['-e', entrypoint]);
  const built = await opa.run('build', '-t', 'wasm', ...limits, ...entrypoints, '-o', bundle, '.');
  if (!built.ok) return refusal('compiler_failed', built.stderr.trim().slice(0, 2_000));
  const read = await readBundle(bundle);
  if ('flaw' in read) return refusal('compiler_failed', read.flaw);
  const version = /^Version: (\S+)/m.exec((await opa.run('version')).stdout)?.[1] ?? 'unknown';
  const wasm = Buffer.from(read.wasm).toString('base64');
  return { opaVersion: version, diagnostics, wasm, inputRefs: [''] }; // it does not say which paths the rules read
}

async function format(opa: Opa, request: CompilerRequest): Promise<CompilerAnswer> {
  const ended = await opa.run('fmt', '--write', '.');
  if (!ended.ok) return refusal('rego_format_error', ended.stderr.trim().slice(0, 2_000));
  const formatted: Record<string, string> = {};
  for (const path of Object.keys(request.files)) {
    formatted[path] = await readFile(join(opa.folder, 'src', path), 'utf8');
  }
  return { opaVersion: '', diagnostics: [], formatted };
}

interface OpaError {
  readonly message: string;
  readonly code?: string;
  readonly location?: { readonly file: string; readonly row: number; readonly col: number };
}

function errorsOf(stderr: string, { instead }: Builtins): PolicyError[] {
  const listed = stderr.trimStart().startsWith('{')
    ? (JSON.parse(stderr) as { errors?: OpaError[] }).errors
    : undefined;
  return (listed ?? [{ message: stderr.trim().slice(0, 2_000) || 'opa check failed' }]).map((error) => {
    const name = /^undefined function (\S+)$/.exec(error.message)?.[1] ?? '';
    const { file = '', row = 0, col = 0 } = error.location ?? {};
    const message = instead[name] === undefined ? error.message : `${error.message}: ${instead[name]}`;
    return { file, row, col: Math.max(col, row === 0 ? 0 : 1), code: error.code ?? 'compiler_failed', message };
  });
}

/** As policies/compiler/negation.go, with less understanding of the text and so a little stricter. */
function vanishingNegations(file: string, text: string): PolicyError[] {
  if (file.endsWith('_test.rego') || /^import future\.keywords\.not\b/m.test(text)) return [];
  const message = 'add `import future.keywords.not`: without it an undefined value skips the whole rule';
  return text.split('\n').flatMap((line, index) => {
    const code = line.replace(/"(?:\\.|[^"\\])*"|`[^`]*`/g, (quoted) => '_'.repeat(quoted.length)).replace(/#.*/, '');
    const col = code.search(/\bnot\b(?!\s+[a-z_][\w.]*\s*(?:$|[;}]|with\b))/i) + 1;
    return col === 0 ? [] : [{ file, row: index + 1, col, code: 'not_vanishes', message }];
  });
}
