import { spawn } from 'node:child_process';

/** What a short-lived child process left behind; `null` where there is no such program. */
export type ChildEnd = { code: number | null; stdout: Buffer; stderr: string } | null;

export interface ChildOptions {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly timeoutMs: number;
}

const mostOutput = 64 * 1024 * 1024;

/** Runs a program to its end, never through a shell. One that runs too long or says too much is killed. */
export function runChild(command: string, args: readonly string[], options: ChildOptions): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env,
      stdio: 'pipe',
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostOutput) child.kill('SIGKILL');
      else into.push(chunk);
    };
    child.stdout.on('data', collect(out));
    child.stderr.on('data', collect(err));
    child.on('error', (fault: NodeJS.ErrnoException) => (fault.code === 'ENOENT' ? resolve(null) : reject(fault)));
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') }),
    );
    child.stdin.on('error', () => {}); // it ended before it had read everything; its exit code says why
    child.stdin.end(options.stdin ?? '');
  });
}
