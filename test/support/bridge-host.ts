import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ControlApi } from '#gateway/adapters/control/api.ts';
import { aControlApi } from './control-api.ts';
import { type ControlSocket, controlSocket } from './control-socket.ts';

export const cli = join(import.meta.dirname, '../../gateway/cli/main.ts');

type Line = Record<string, unknown>;

/** A host that starts `sekisho bridge` and speaks lines of JSON with it. */
export interface BridgeHost extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Everything that came, parsed: what is not JSON fails the test. */
  readonly lines: readonly Line[];
  readonly complaints: () => string;
  write(text: string): void;
  send(message: object): void;
  /** The answer to this request. */
  ask(id: string | number, method: string, params?: object): Promise<Line>;
  /** The first line, also among those that came already, that fits. */
  until(fits: (line: Line) => boolean): Promise<Line>;
  /** Closes stdin, and says how the process ended. */
  leave(): Promise<number | null>;
}

export function bridgeHost(args: readonly string[]): BridgeHost {
  const child = spawn(process.execPath, [cli, 'bridge', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const lines: Line[] = [];
  let complaints = '';
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line));
    wake();
  });
  child.stderr.on('data', (chunk) => {
    complaints += String(chunk);
  });
  child.once('exit', wake);

  function until(fits: (line: Line) => boolean): Promise<Line> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find(fits);
        if (!found && child.exitCode === null && child.signalCode === null) return;
        waiting.delete(look);
        if (found) resolve(found);
        else reject(new Error(`the bridge ended first: ${complaints}`));
      };
      waiting.add(look);
      look();
    });
  }

  const write = (text: string): void => void child.stdin.write(text);
  const send = (message: object): void => write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const isAnswer = (id: string | number) => (line: Line) => line.id === id && ('result' in line || 'error' in line);
  return {
    child,
    lines,
    complaints: () => complaints,
    write,
    send,
    ask(id, method, params = {}) {
      send({ id, method, params });
      return until(isAnswer(id));
    },
    until,
    async leave() {
      child.stdin.end();
      const [code] = await exited;
      return code;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

export const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: { elicitation: {} },
  clientInfo: { name: 'test', version: '1' },
};

/** Begins as every host does. */
export async function begin(host: BridgeHost): Promise<Line> {
  const answer = await host.ask('init', 'initialize', initialize);
  host.send({ method: 'notifications/initialized' });
  return answer;
}

/** A control socket that mints tokens for an endpoint. */
export function minting(url: string, changes: Partial<ControlApi> = {}): Promise<ControlSocket> {
  const status = { url, revision: 'r', policy: { revision: 'p' }, servers: [] };
  const api = aControlApi({
    status: () => status,
    mint(wish) {
      api.asked.push(wish);
      return { token: `token-${api.asked.length}`, run: wish.run ?? '', expires: Date.now() + 900_000 };
    },
    ...changes,
  });
  return controlSocket(api);
}
