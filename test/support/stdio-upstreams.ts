import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createReaper } from '#gateway/adapters/upstream/reaper.ts';
import { createStdioUpstream, type StdioOptions } from '#gateway/adapters/upstream/stdio.ts';
import type { Answer, Ending, ExchangeEvent } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Upstream, UpstreamCall, UpstreamNotice } from '#gateway/ports.ts';

export const scripted = fileURLToPath(new URL('./scripted-stdio-server.ts', import.meta.url));
export const bin = (name: string): string => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

export interface Logged {
  readonly level: 'debug' | 'info' | 'warn';
  readonly fields: object;
  readonly message: string;
}

export interface Started {
  readonly upstream: Upstream;
  readonly notices: UpstreamNotice[];
  readonly logged: Logged[];
  close(): Promise<void>;
}

/** An upstream with a watchdog of its own and everything it said. */
export function startUpstream(options: Partial<StdioOptions> = {}): Started {
  const logged: Logged[] = [];
  const notices: UpstreamNotice[] = [];
  const at =
    (level: Logged['level']) =>
    (fields: object, message: string): number =>
      logged.push({ level, fields, message });
  const log = { debug: at('debug'), info: at('info'), warn: at('warn') };
  const reaper = createReaper({ log });
  const upstream = createStdioUpstream({
    ...{ id: 'demo', command: [process.execPath, scripted], env: {}, cwd: tmpdir(), log, reaper },
    notify: (notice) => notices.push(notice),
    ...options,
    timings: { stop: 500, ...options.timings },
  });
  return {
    ...{ upstream, notices, logged },
    async close() {
      await upstream.close();
      await reaper.close();
    },
  };
}

const limits = {
  ...{ answer: 1_048_576, timeout: 15_000, connect: 15_000, firstByte: 15_000, idle: 15_000, inflight: 64 },
};

export interface CallChanges extends Partial<Omit<UpstreamCall, 'limits'>> {
  readonly limits?: Partial<UpstreamCall['limits']>;
}

export const aCall = (changes: CallChanges = {}): UpstreamCall => ({
  server: 'demo',
  method: 'tools/call',
  params: { name: 'echo', arguments: {} },
  client: { revision: '2025-11-25', capabilities: {}, info: { name: 'test', version: '1' }, logLevel: null },
  run: 'run',
  mirrors: [],
  resumed: null,
  principal: 'somebody',
  answerBytes: 1_048_576,
  signal: new AbortController().signal,
  ...changes,
  limits: { ...limits, ...changes.limits },
});

export const toolCall = (name: string, args: JsonObject = {}, changes: CallChanges = {}): UpstreamCall =>
  aCall({ params: { name, arguments: args }, ...changes });

/** The text of a tool's answer; a refusal or an error is shown as it is. */
export function textOf(answer: Answer): unknown {
  if (answer.kind !== 'result') return answer;
  const { result } = answer;
  return (result.content as { text: string }[] | undefined)?.[0]?.text ?? result;
}

export const jsonOf = (answer: Answer): unknown => JSON.parse(String(textOf(answer)));

export async function eventsOf(answer: Answer): Promise<(ExchangeEvent | Ending)[]> {
  if (answer.kind !== 'stream') throw new Error(`the answer is no stream: ${JSON.stringify(answer)}`);
  return Array.fromAsync(answer.events);
}
