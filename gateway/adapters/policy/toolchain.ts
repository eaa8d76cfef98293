import { createHash, randomUUID } from 'node:crypto';
import { access, copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runChild } from './child.ts';

/** What turns Rego into WebAssembly on this machine. */
type Compiler =
  | { readonly kind: 'built'; readonly folder: string }
  | { readonly kind: 'opa'; readonly command: string };

export interface Toolchain {
  /** Of the compiler's own sources: part of the key of everything it makes. */
  readonly digest: string;
  /** The ignored folder that built things go to. */
  readonly build: string;
  readonly sources: string;
  readonly env: NodeJS.ProcessEnv;
  /** Finds the compiler, or builds it, once; null where this machine has no way to. */
  compiler(): Promise<Compiler | null>;
}

export interface ToolchainOptions {
  /** The repository (or the image's copy of it); by default the one this file is in. */
  readonly root?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
}

export const noCompiler =
  'No Rego compiler was found: install Go 1.26 or newer, or put an `opa` program on the PATH, or let the policy path ' +
  'name a bundle that was built elsewhere (`opa build -t wasm -e sekisho/decision`).';

const buildLimitMs = 15 * 60_000;

export async function openToolchain({ root, env, progress }: ToolchainOptions): Promise<Toolchain> {
  const home = root ?? resolve(import.meta.dirname, '..', '..', '..');
  const sources = join(home, 'policies', 'compiler');
  const build = join(home, 'build');
  const digest = await digestOfSources(sources);
  let found: Promise<Compiler | null> | undefined;
  return {
    digest,
    build,
    sources,
    env,
    compiler() {
      found ??= findCompiler({ sources, parent: join(build, 'rego-compiler'), digest, env, progress });
      return found;
    },
  };
}

interface Search {
  readonly sources: string;
  readonly parent: string;
  readonly digest: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
}

async function findCompiler(search: Search): Promise<Compiler | null> {
  const go = await findGo(search);
  if (go === null) return (await builtEarlier(search)) ?? (await findOpa(search.env));
  const folder = join(search.parent, `${search.digest}-${go.version}`);
  if (await exists(folder)) return { kind: 'built', folder };
  if (await builtMeanwhile(folder, search)) return { kind: 'built', folder };
  search.progress('building the Rego compiler (once, about a minute) …');
  const fault = await buildWith(go, folder, search);
  if (fault === null) return { kind: 'built', folder };
  search.progress(`the Rego compiler could not be built: ${fault}`);
  return (await builtEarlier(search)) ?? (await findOpa(search.env));
}

interface Go {
  readonly version: string;
  readonly root: string;
}

async function findGo({ sources, env }: Search): Promise<Go | null> {
  const asked = await runChild('go', ['env', 'GOVERSION', 'GOROOT'], { cwd: sources, env, timeoutMs: 60_000 });
  if (asked === null || asked.code !== 0) return null;
  const [version, root] = asked.stdout.toString('utf8').trim().split('\n');
  return version && root ? { version, root } : null;
}

/** Without Go its version does not matter: any build of these very sources will do. */
async function builtEarlier({ parent, digest }: Search): Promise<Compiler | null> {
  const names = await readdir(parent).catch(() => []);
  const name = names
    .filter((one) => one.startsWith(`${digest}-`))
    .sort()
    .at(-1);
  return name === undefined ? null : { kind: 'built', folder: join(parent, name) };
}

async function findOpa(env: NodeJS.ProcessEnv): Promise<Compiler | null> {
  const asked = await runChild('opa', ['version'], { env, timeoutMs: 60_000 });
  return asked?.code === 0 ? { kind: 'opa', command: 'opa' } : null;
}

/** Waits where another process is building already: correct without (see buildWith), but twice the work. */
async function builtMeanwhile(folder: string, { parent, progress }: Search): Promise<boolean> {
  for (let waited = 0; await someoneBuilds(parent); waited++) {
    if (waited === 0) progress('waiting for the Rego compiler that another process is building …');
    await sleep(250);
  }
  return exists(folder);
}

async function someoneBuilds(parent: string): Promise<boolean> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) {
    const pid = Number(/^\.draft-(\d+)-/.exec(name)?.[1] ?? 0);
    if (pid === 0 || !isAlive(pid)) continue;
    const draft = await stat(join(parent, name)).catch(() => null);
    if (draft !== null && Date.now() - draft.mtimeMs < buildLimitMs) return true;
  }
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Builds under a name of its own and renames, so that two processes that start at once cannot disturb each other. */
async function buildWith(go: Go, folder: string, { sources, parent, env }: Search): Promise<string | null> {
  const draft = join(parent, `.draft-${process.pid}-${randomUUID()}`);
  try {
    await mkdir(draft, { recursive: true });
    const target = { ...env, GOOS: 'js', GOARCH: 'wasm', CGO_ENABLED: '0', GOWORK: 'off', GO111MODULE: 'on' };
    const options = { cwd: sources, env: target, timeoutMs: buildLimitMs };
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', join(draft, 'compiler.wasm'), '.'];
    const built = await runChild('go', args, options);
    if (built === null || built.code !== 0) return lastLine(built?.stderr ?? '');
    await copyFile(join(go.root, 'lib', 'wasm', 'wasm_exec.js'), join(draft, 'wasm_exec.js'));
    // Whoever passes the built file on (an image does) owes its users OPA's licence.
    const opa = await runChild('go', ['list', '-m', '-f', '{{.Dir}}', 'github.com/open-policy-agent/opa'], options);
    await copyFile(join(opa?.stdout.toString('utf8').trim() ?? '', 'LICENSE'), join(draft, 'LICENSE.opa'));
    await rename(draft, folder).catch(async (cause: unknown) => {
      if (!(await exists(folder))) throw cause; // else another process was first
    });
    return null;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause); // a Go without its wasm files, a full disk
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) || 'go build ended without a word';
}

async function digestOfSources(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(folder)).filter((name) => /\.(go|mod|sum|json)$/.test(name)).sort();
  for (const name of names) {
    const text = await readFile(join(folder, name));
    hash.update(`${name}\0${text.byteLength}\0`).update(text);
  }
  return hash.digest('hex').slice(0, 16);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
