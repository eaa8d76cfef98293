import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * An MCP server over stdio that misbehaves on request: the name of the called tool says how, and flags say what is wrong
 * with the process as such. It is run as a child, never imported.
 */
type Json = Record<string, unknown>;
interface Asked {
  readonly id: number;
  readonly method: string;
  readonly params: { readonly name: string; readonly arguments?: Json; readonly _meta?: Json } & Json;
}

const flags = new Map(process.argv.slice(2).map((flag) => flag.split('=', 2) as [string, string | undefined]));
const heard: Json[] = [];
let grandchild: number | null = null;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const say = (message: Json): boolean => print(JSON.stringify({ jsonrpc: '2.0', ...message }));
const answer = (id: unknown, result: Json): boolean => say({ id, result });
const text = (id: unknown, value: unknown): boolean =>
  answer(id, { content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }] });
const stayAlive = (): unknown => setInterval(() => {}, 60_000);
const later = (ms: number, act: () => void): unknown => setTimeout(act, ms);

const methods: Record<string, (asked: Asked) => unknown> = {
  initialize: ({ id }) => {
    if (flags.has('--no-handshake')) return;
    if (flags.has('--refuse')) return say({ id, error: { code: -32022, message: 'no' } });
    const protocolVersion = flags.get('--revision') ?? '2025-11-25';
    const capabilities = { tools: { listChanged: true }, resources: {} };
    const hello = { protocolVersion, capabilities, serverInfo: { name: 'scripted', version: '1' } };
    return later(Number(flags.get('--slow-handshake') ?? 0), () => answer(id, hello));
  },
  'tools/list': ({ id }) =>
    flags.has('--tool-member-twice')
      ? print(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[{"name":"echo","title":"one","title":"other"}]}}`)
      : answer(id, { tools: [{ name: flags.get('--tool') ?? 'echo', inputSchema: { type: 'object' } }] }),
  'resources/list': ({ id }) => answer(id, { resources: [{ uri: 'demo://one', name: 'one' }] }),
  'resources/templates/list': ({ id }) => say({ id, error: { code: -32601, message: 'unknown' } }),
  'tools/call': (asked) => tools[asked.params.name]?.(asked),
};

const tools: Record<string, (asked: Asked) => unknown> = {
  echo: ({ id, params }) => text(id, params.arguments ?? {}),
  shuffled: ({ id, params }) => later(Math.random() * 50, () => text(id, params.arguments ?? {})),
  heard: ({ id }) => text(id, heard),
  pids: ({ id }) => text(id, { child: process.pid, grandchild }),
  environment: ({ id }) => text(id, { env: process.env, cwd: process.cwd() }),
  fails: ({ id }) => say({ id, error: { code: -32002, message: 'no such thing', data: { why: 'test' } } }),
  never: () => {},
  slow: ({ id, params }) => later(Number(params.arguments?.ms), () => text(id, 'slow')),
  'slow-bytes': ({ id, params }) =>
    later(Number(params.arguments?.ms), () => text(id, 'x'.repeat(Number(params.arguments?.count)))),
  dies: () => process.exit(3),
  'answers-then-dies': ({ id }) => {
    text(id, 'last words');
    process.stdout.end(() => process.exit(0));
  },
  twice: ({ id }) => text(id, 'first') && text(id, 'second'),
  foreign: ({ id }) => answer(id + 1_000_000, {}) && answer(String(id), {}) && answer(null, {}) && text(id, 'own'),
  garbage: ({ id }) => {
    print('token=hunter2 is not JSON');
    print('');
    print('[1,2]');
    print('"text"');
    print('{"jsonrpc":"2.0"');
    process.stdout.write(Buffer.from([0x7b, 0xff, 0xfe, 0x0a]));
    print('{"jsonrpc":"2.0","unrelated":true}\r');
    text(id, 'still here');
  },
  'not-an-answer': ({ id }) => print(`{"jsonrpc":"2.0","id":${id},"result":{},"error":{"code":1,"message":"x"}}`),
  'two-results': ({ id }) => print(`{"jsonrpc":"2.0","id":${id},"result":{"a":1},"result":{"a":2}}`),
  'not-utf8': ({ id }) =>
    process.stdout.write(
      Buffer.concat([
        Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"a":"`),
        Buffer.from([0xff]),
        Buffer.from('"}}\n'),
      ]),
    ),
  spaced: ({ id }) => print(` { "result" : { "a\\"}" : [ "}" , { } ] } , "id" : ${id} , "jsonrpc" : "2.0" } \r`),
  bytes: ({ id, params }) => text(id, 'x'.repeat(Number(params.arguments?.count))),
  'half-a-line': ({ id, params }) => {
    process.stdout.write(
      `{"jsonrpc":"2.0","id":${id},"result":{"text":"${'x'.repeat(Number(params.arguments?.count))}`,
    );
    later(Number(params.arguments?.ms), () => print('"}}'));
  },
  endless: () => {
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const more = (): void => {
      while (process.stdout.write(chunk));
      process.stdout.once('drain', more);
    };
    more();
  },
  progress: ({ id, params }) => {
    const { count = 3, ms = 5 } = (params.arguments ?? {}) as { count?: number; ms?: number };
    let step = 0;
    const timer = setInterval(() => {
      step += 1;
      const progressToken = params._meta?.progressToken;
      if (step <= count) say({ method: 'notifications/progress', params: { progressToken, progress: step } });
      if (step < count || params.arguments?.endless) return;
      clearInterval(timer);
      text(id, 'done');
    }, ms);
  },
  chatters: ({ id }) => {
    say({ method: 'notifications/message', params: { level: 'info', data: 'secret of another caller' } });
    say({ method: 'notifications/progress', params: { progressToken: 'nobody', progress: 1 } });
    say({ method: 'notifications/tools/list_changed' });
    say({ method: 'notifications/resources/updated', params: { uri: 'demo://one' } });
    say({ method: 'notifications/unheard-of', params: {} });
    text(id, 'chattered');
  },
  asks: ({ id }) => {
    say({ id: 'q1', method: 'elicitation/create', params: { message: 'your password?' } });
    say({ id: 'q2', method: 'ping' });
    later(50, () =>
      text(
        id,
        heard.filter((message) => message.id === 'q1' || message.id === 'q2'),
      ),
    );
  },
  deafens: ({ id, params }) => {
    stayAlive();
    process.stdin.pause();
    if (params.arguments?.ms) later(Number(params.arguments.ms), () => process.stdin.resume());
    text(id, 'deaf now');
  },
  'closes-stdout': () => process.stdout.end(),
  batch: ({ id }) => print(JSON.stringify([{ jsonrpc: '2.0', id, result: { batched: true } }])),
};

if (flags.has('--exit')) {
  process.stderr.write('cannot start: \u001b[31mtoken=hunter2\n');
  process.exit(Number(flags.get('--exit')));
}
if (flags.has('--stubborn')) {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  stayAlive();
}
if (flags.has('--grandchild')) {
  const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 60_000)";
  grandchild = spawn(process.execPath, ['-e', stubborn], { stdio: 'inherit' }).pid ?? null;
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const message = JSON.parse(line) as Asked & Json;
  heard.push(message);
  if (message.method && flags.get('--dies-at') === message.method) process.exit(7);
  methods[message.method]?.(message);
});
input.on('close', () => {
  if (!flags.has('--stubborn')) process.exit(0);
});
