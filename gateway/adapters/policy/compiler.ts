import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from './child.ts';
import { type CompilerAnswer, type CompilerRequest, refusal } from './compiler-protocol.ts';
import { readDigested, writeDigested } from './digested-file.ts';
import { suppliedFunctions } from './host-builtins.ts';
import { askOpa } from './opa-command.ts';
import { noCompiler, type Toolchain } from './toolchain.ts';

const compileLimitMs = 120_000;
const mostKept = 64;

/** A folder that answers are kept in; of several, the first is written to and the others are looked into as well. */
export type PolicyCache = string | readonly string[];

/** Asks the compiler, or remembers what it answered: the same question has the same answer, byte for byte. */
export async function askCompiler(
  toolchain: Toolchain,
  request: CompilerRequest,
  cache: PolicyCache = sharedCache(toolchain),
): Promise<CompilerAnswer> {
  const whole = { supplied: suppliedFunctions, ...request };
  const question = JSON.stringify({ ...whole, files: sortedByKey(request.files) });
  const key = createHash('sha256').update(`${toolchain.digest}\0${question}`).digest('hex');
  const [own = '', ...others] = [cache].flat();
  for (const folder of [own, ...others]) {
    const remembered = await recall(join(folder, `${key}.json`));
    if (remembered !== null) return remembered;
  }
  const compiler = await toolchain.compiler();
  if (compiler === null) return refusal('compiler_missing', noCompiler);
  if (compiler.kind === 'opa') return askOpa(compiler.command, toolchain, whole);
  const answer = await runBuilt(compiler.folder, question);
  if (answer.diagnostics.length === 0) await remember(own, `${key}.json`, answer);
  return answer;
}

/** In a child process, because it takes a second of one core and 150 MB; with nothing of this one's environment. */
async function runBuilt(folder: string, question: string): Promise<CompilerAnswer> {
  const runner = join(import.meta.dirname, 'run-compiler.mjs');
  const ended = await runChild(process.execPath, ['--liftoff-only', runner, folder], {
    env: {},
    stdin: question,
    timeoutMs: compileLimitMs,
  });
  if (ended === null || ended.code !== 0) {
    const why = ended?.code === null ? `it was stopped after ${compileLimitMs / 1000} s` : (ended?.stderr ?? '').trim();
    return refusal('compiler_failed', `the Rego compiler failed: ${why.slice(0, 2_000)}`);
  }
  return parseAnswer(ended.stdout.toString('utf8'));
}

function parseAnswer(text: string): CompilerAnswer {
  const answer: unknown = JSON.parse(text);
  if (typeof answer !== 'object' || answer === null || !('diagnostics' in answer) || !Array.isArray(answer.diagnostics))
    throw new Error('the Rego compiler gave an answer of another form');
  return answer as CompilerAnswer;
}

async function recall(path: string): Promise<CompilerAnswer | null> {
  const answer = await readDigested(path); // one that is not whole is made anew
  if (answer === null) return null;
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined); // what is asked for is forgotten last
  return parseAnswer(answer);
}

/** Beside the compiler, where `sekisho policy` keeps what it makes. */
export const sharedCache = ({ build }: Toolchain): string => join(build, 'policy-cache');

/** A convenience: where the folder cannot be written (a read-only image), the next start compiles again. */
async function remember(folder: string, name: string, answer: CompilerAnswer): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await writeDigested(join(folder, name), JSON.stringify(answer), 0o644);
    await forgetOldest(folder);
  } catch {
    // The answer is there; it will be asked for again.
  }
}

async function forgetOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  if (names.length <= mostKept) return;
  const aged = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  aged.sort((a, b) => b.at - a.at);
  for (const { name } of aged.slice(mostKept)) await rm(join(folder, name), { force: true });
}

function sortedByKey(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}
