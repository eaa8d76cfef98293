import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { checkPolicies } from '#gateway/adapters/policy/check.ts';
import { describePolicyError } from '#gateway/adapters/policy/compile.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { checkPolicyFormat, formatPolicies } from '#gateway/adapters/policy/format.ts';
import { PolicyFault } from '#gateway/adapters/policy/policy-fault.ts';
import { openToolchain } from '#gateway/adapters/policy/toolchain.ts';
import { exitCodes } from './exit.ts';
import { policyReplayCommand } from './policy-replay.ts';
import { type Asked, compiled, complain, type PolicyTerminal } from './policy-terminal.ts';
import { percentage, type TestOptions, test } from './policy-test.ts';
import { versions } from './policy-version.ts';

const ownTerminal: PolicyTerminal = {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  exit: (code) => {
    process.exitCode = code;
  },
};

export function policyCommand(terminal: PolicyTerminal = ownTerminal): Command {
  const verb = (name: string, summary: string) =>
    new Command(name)
      .description(summary)
      .argument('[folder]', 'where the .rego files and data.json are', 'policies')
      .option('--json', 'machine-readable output', false);
  const asked = async (folder: string, { json }: { json: boolean }): Promise<Asked> => {
    const toolchain = await openToolchain({ env: terminal.env, progress: terminal.err });
    return { folder, json, toolchain, terminal };
  };
  return new Command('policy')
    .description('work on the policies that decide about every call')
    .addCommand(
      verb('build', 'compile to WebAssembly and say the revision')
        .option('--out <folder>', 'write policy.wasm and data.json there, for a machine without a compiler')
        .action(async (folder, options) => build(await asked(folder, options), options.out)),
    )
    .addCommand(
      verb('check', 'name everything that is wrong, with file, line and column').action(async (folder, options) =>
        check(await asked(folder, options)),
      ),
    )
    .addCommand(
      verb('test', 'run every test_ rule on the engine that enforces')
        .option('--coverage', 'say which rules held in no test', false)
        .option('--threshold <percent>', 'end with 1 where fewer rules than this held in a test', percentage)
        .option('--junit <file>', 'write the results as JUnit XML, for a CI server')
        .option('--watch', 'run again whenever a file changes, until interrupted', false)
        .action(async (folder, options: TestOptions) => test(await asked(folder, options), options)),
    )
    .addCommand(policyReplayCommand(terminal))
    .addCommand(
      new Command('version')
        .description('say what compiles and what evaluates policies here')
        .option('--json', 'machine-readable output', false)
        .action(async (options) => versions(await asked('', options))),
    )
    .addCommand(
      verb('fmt', 'write the files as `opa fmt` does')
        .option('--check', 'only say which files would change', false)
        .action(async (folder, options) => format(await asked(folder, options), options.check)),
    )
    .addCommand(
      verb('eval', 'show the decision about one input')
        .requiredOption('--input <file>', 'a JSON file, as policies/example-input.json')
        .action(async (folder, options) => evaluate(await asked(folder, options), options.input)),
    );
}

async function build(asked: Asked, out: string | undefined): Promise<void> {
  const { json, terminal } = asked;
  const policy = await compiled(asked);
  if (policy === null) return;
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, 'policy.wasm'), policy.wasm);
    await writeFile(join(out, 'data.json'), JSON.stringify(policy.data));
  }
  const { revision, opaVersion, inputRefs } = policy;
  const bytes = policy.wasm.byteLength;
  if (json) terminal.out(JSON.stringify({ revision, opaVersion, bytes, inputRefs }));
  else terminal.out(`${revision}  (${bytes} bytes, OPA ${opaVersion})`);
}

async function check({ folder, json, toolchain, terminal }: Asked): Promise<void> {
  const { errors } = await checkPolicies(folder, toolchain);
  if (json) terminal.out(JSON.stringify({ errors }));
  else for (const error of errors) terminal.err(describePolicyError(error, folder));
  if (errors.length > 0) return terminal.exit(exitCodes.config);
  if (!json) terminal.err(`${folder}: nothing is wrong`);
}

async function format({ folder, json, toolchain, terminal }: Asked, checkOnly: boolean): Promise<void> {
  const options = { directory: folder, toolchain };
  const { errors, changed } = await (checkOnly ? checkPolicyFormat(options) : formatPolicies(options));
  const files = Object.keys(changed);
  if (json) terminal.out(JSON.stringify({ errors, files }));
  else {
    complain(errors, folder, terminal);
    for (const file of files) terminal.out(join(folder, file));
  }
  if (errors.length > 0) terminal.exit(exitCodes.config);
  else if (checkOnly && files.length > 0) terminal.exit(exitCodes.found);
}

async function evaluate(asked: Asked, inputFile: string): Promise<void> {
  const { json, terminal } = asked;
  const policy = await compiled(asked);
  if (policy === null) return;
  const text = await readFile(inputFile, 'utf8').catch(() => null);
  if (text === null) {
    terminal.err(`${inputFile}: there is no such file`);
    return terminal.exit(exitCodes.found);
  }
  try {
    const decision = createPolicyEngine(policy).judge(JSON.parse(text));
    terminal.out(json ? JSON.stringify(decision) : JSON.stringify(decision, null, 2));
  } catch (fault) {
    if (!(fault instanceof PolicyFault || fault instanceof SyntaxError)) throw fault;
    terminal.err(`${inputFile}: ${fault.message}`);
    terminal.exit(exitCodes.found);
  }
}
