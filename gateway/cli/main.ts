import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { approvalsCommand } from './approvals.ts';
import { bridgeCommand } from './bridge.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { explainCommand } from './explain.ts';
import { createProgram, runProgram } from './program.ts';
import { schemaCommand } from './schema.ts';
import type { Shell } from './shell.ts';
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

function version(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  return String(JSON.parse(text).version);
}

const program = createProgram(version(), [
  validateCommand(shell),
  configCommand(shell),
  explainCommand(shell),
  approvalsCommand(shell),
  bridgeCommand(shell, stopSignal),
  schemaCommand(shell),
  completionCommand(shell),
]);

const code = await runProgram(program, process.argv.slice(2), shell);
if (code !== 0) process.exitCode = code;
