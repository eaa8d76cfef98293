import { userInfo } from 'node:os';
import { product } from '#gateway/core/product.ts';
import { signServerDefinitions, verifyManifestFile } from '#gateway/manifest-files.ts';
import { StartRefused } from '#gateway/start-refused.ts';
import { approvalsCommand } from './approvals.ts';
import { bridgeCommand } from './bridge.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { decideCommand } from './decide.ts';
import { Failure } from './exit.ts';
import { explainCommand } from './explain.ts';
import { keygenCommand } from './keygen.ts';
import { policyCommand } from './policy.ts';
import { policyReloadCommand } from './policy-reload.ts';
import { policyShadowCommand } from './policy-shadow.ts';
import { createProgram, runProgram } from './program.ts';
import { runsCommand } from './runs.ts';
import { schemaCommand } from './schema.ts';
import { serversCommand } from './servers.ts';
import type { Shell } from './shell.ts';
import { signToken } from './sign-token.ts';
import { tokenCommand } from './token.ts';
import { type StartOptions, upCommand } from './up.ts';
import { validateCommand } from './validate.ts';

const shell: Shell = {
  env: process.env,
  cwd: process.cwd(),
  user: userInfo().username,
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  now: Date.now,
};

// `sekisho … | head` is nobody's fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

/** For commands that have something to put in order before they go. */
function stopSignal(): AbortSignal {
  const stopped = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => stopped.abort());
  return stopped.signal;
}

/** The gateway is loaded when it is started only: every other command is there at once. */
async function up(options: StartOptions): Promise<void> {
  const { start } = await import('#gateway/main.ts');
  await start(options).catch((error: unknown) => {
    if (error instanceof StartRefused) throw new Failure('config', error.message);
    throw error;
  });
}

const program = createProgram(product.version, [
  upCommand(shell, up),
  validateCommand(shell),
  configCommand(shell),
  tokenCommand(shell, signToken),
  bridgeCommand(shell, stopSignal),
  serversCommand(shell, { sign: signServerDefinitions, verify: verifyManifestFile }),
  approvalsCommand(shell),
  runsCommand(shell),
  policyCommand().addCommand(policyReloadCommand(shell)).addCommand(policyShadowCommand(shell)),
  keygenCommand(),
  explainCommand(shell),
  decideCommand(shell),
  schemaCommand(shell),
  completionCommand(shell),
]);

const code = await runProgram(program, process.argv.slice(2), shell);
if (code !== 0) process.exitCode = code;
