import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFailures } from '#gateway/adapters/upstream/failures.ts';
import { createPlainPool } from '#gateway/adapters/upstream/plain/pool.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import type { MutatedAnswer } from './mutated-answer.ts';

/** What a reader took an answer for; null when it did not take it. */
export type Reading = { readonly status: number; readonly headers: Fields; readonly body: string } | null;

/** Names in lower case, with all their values in order. */
type Fields = Readonly<Record<string, readonly string[]>>;

export interface TwoReaders {
  /** The same bytes in the same packets, read by our client and by Node's own. */
  read(answer: MutatedAnswer): Promise<{ readonly ours: Reading; readonly nodes: Reading }>;
  close(): Promise<void>;
}

/** A server on a socket of the file system, which writes what it is asked to write and closes. */
export async function createTwoReaders(): Promise<TwoReaders> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-fuzz-'));
  const path = join(folder, 'server.sock');
  const answers = new Map<string, MutatedAnswer>();
  let lastId = 0;
  const server = createServer((socket) => {
    let asked = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      asked += chunk.toString('latin1');
      const answer = answers.get(/\r\nx-answer: (\d+)\r\n(?:.+\r\n)*\r\n\{\}$/i.exec(asked)?.[1] ?? '');
      if (answer) void write(socket, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const pool = createPlainPool({
    ...{ url: new URL('http://fuzz.test/'), connect: 10_000, say: createFailures('fuzz') },
    keep: { idle: 1_000, age: 1_000 },
    dial: (onread) => connect({ path, onread }),
  });

  const ours = async (id: string): Promise<Reading> => {
    const exchange = pool.post({ headers: { 'x-answer': id }, firstByte: 10_000, idle: 10_000 }, '{}');
    const head = await exchange.head;
    if (isRefusal(head)) return timely(head.refused);
    let body = '';
    for (let bit = await exchange.read(); bit !== null; bit = await exchange.read()) {
      if (isRefusal(bit)) return timely(bit.refused);
      body += bit.toString('latin1');
    }
    const fields = Object.entries(head.headers).map(([name, value = '']) => [name, [value].flat()] as const);
    return { status: head.status, headers: Object.fromEntries(fields), body };
  };

  const nodes = (id: string): Promise<Reading> =>
    new Promise((resolve) => {
      const headers = { 'x-answer': id, 'content-length': 2 };
      const asking = request({ socketPath: path, method: 'POST', headers, agent: false });
      asking.on('response', (response) => void readNodes(response).then(resolve));
      asking.on('upgrade', (_, socket) => {
        socket.destroy();
        resolve(null);
      });
      asking.on('error', () => undefined);
      // After everything that a whole answer can still have to tell.
      asking.on('close', () => setImmediate(() => setImmediate(resolve, null)));
      asking.end('{}');
    });

  return {
    async read(answer) {
      const id = String(++lastId);
      answers.set(id, answer);
      const [our, node] = await Promise.all([ours(id), nodes(id)]);
      answers.delete(id);
      return { ours: our, nodes: node };
    },
    async close() {
      pool.close();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

/** A refusal is no reading. One for time is a fault: the server closes, so there is nothing to wait for. */
function timely(reason: string): null {
  if (reason === 'upstream_timeout') throw new Error('our client waited for an answer that was over');
  return null;
}

async function write(socket: Socket, { bytes, cuts }: MutatedAnswer): Promise<void> {
  let from = 0;
  for (const cut of cuts) {
    socket.write(bytes.subarray(from, cut));
    from = cut;
    await new Promise(setImmediate);
  }
  socket.end(bytes.subarray(from));
}

function readNodes(response: IncomingMessage): Promise<Reading> {
  return new Promise((resolve) => {
    let body = '';
    response.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    response.on('error', () => resolve(null));
    response.on('close', () => {
      const headers: Record<string, string[]> = Object.create(null);
      const raw = response.rawHeaders;
      for (let at = 0; at < raw.length; at += 2) {
        const name = String(raw[at]).toLowerCase();
        headers[name] = [...(headers[name] ?? []), String(raw[at + 1])];
      }
      resolve(response.complete ? { status: response.statusCode ?? 0, headers: { ...headers }, body } : null);
    });
  });
}
