import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createFailures } from '#gateway/adapters/upstream/failures.ts';
import { createDial, placeOf } from '#gateway/adapters/upstream/plain/dial.ts';
import type { PlainExchange, PlainRequest } from '#gateway/adapters/upstream/plain/exchange.ts';
import { createPlainPool, type PlainPool, type PlainPoolOptions } from '#gateway/adapters/upstream/plain/pool.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';

/** A server without any HTTP of its own: it writes just the bytes that a test tells it to. */
export interface RawServer {
  readonly url: string;
  /** Every request that came whole, in order. */
  readonly heard: string[];
  /** The sockets that are open. */
  readonly open: ReadonlySet<Socket>;
  /** How many there ever were. */
  sockets(): number;
}

/** Called with each whole request, and its number on its socket: 1, 2, … */
export type Answers = (socket: Socket, request: string, number: number) => unknown;

export interface RawServerOptions {
  readonly answer?: Answers;
  /** Called with each socket as it opens. */
  readonly greet?: (socket: Socket) => unknown;
  readonly paused?: boolean;
}

export async function startRawServer({ answer, greet, paused = false }: RawServerOptions): Promise<RawServer> {
  const heard: string[] = [];
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer({ noDelay: true, allowHalfOpen: false, pauseOnConnect: paused }, (socket) => {
    count++;
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    greet?.(socket);
    let [text, number] = ['', 0];
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let whole = wholeRequest(text); whole !== null; whole = wholeRequest(text)) {
        text = text.slice(whole.length);
        heard.push(whole);
        answer?.(socket, whole, ++number);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return { heard, open, sockets: () => count, url: `http://127.0.0.1:${port}/mcp?a=1` };
}

function wholeRequest(text: string): string | null {
  const cut = text.indexOf('\r\n\r\n');
  const length = Number(/\r\ncontent-length: (\d+)\r\n/.exec(text)?.[1] ?? 0);
  return cut >= 0 && text.length >= cut + 4 + length ? text.slice(0, cut + 4 + length) : null;
}

/** Our own client for `url`; it is closed when the test is over. */
export function aPlainPool(url: string, options: Partial<PlainPoolOptions> = {}): PlainPool {
  const pool = createPlainPool({
    dial: createDial(placeOf(new URL(url))),
    ...{ url: new URL(url), connect: 1_000, say: createFailures('tickets'), keep: { idle: 4_000, age: 300_000 } },
    ...options,
  });
  onTestFinished(() => pool.close());
  return pool;
}

export const aRequest = (over: Partial<PlainRequest> = {}): PlainRequest => ({
  ...{ headers: { 'x-test': 'yes' }, firstByte: 2_000, idle: 2_000 },
  ...over,
});

/** A whole answer, or why there is none. */
export interface Whole {
  readonly status: number;
  readonly headers: unknown;
  readonly body: string;
}

export async function whole(exchange: PlainExchange): Promise<Whole | Refusal> {
  const head = await exchange.head;
  if (isRefusal(head)) return head;
  let body = '';
  for (let bit = await exchange.read(); bit !== null; bit = await exchange.read()) {
    if (isRefusal(bit)) return bit;
    body += bit.toString('latin1');
  }
  return { status: head.status, headers: { ...head.headers }, body };
}
