import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type CallKind, eventCount, expected } from './message.ts';

/** One answer that arrived and is what it has to be. */
export type Arrived = (connection: Connection, id: number) => void;

export interface Connection {
  readonly socket: Socket;
  /** Ids whose answers are still to come, oldest first. */
  readonly waiting: number[];
}

const endOfHead = Buffer.from('\r\n\r\n');
const endOfLine = Buffer.from('\r\n');

/** A client's connection: HTTP/1.1 by hand, since a client library would cost as much as the proxy that is measured. */
export async function openConnection(
  to: { readonly port: number; readonly kind: CallKind },
  arrived: Arrived,
  broken: (why: string) => void,
): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port: to.port, noDelay: true });
  await once(socket, 'connect');
  const connection: Connection = { socket, waiting: [] };
  let held: Buffer[] = [];
  let heldBytes = 0;
  let needed = 0;
  socket.on('data', (chunk: Buffer) => {
    held.push(chunk);
    heldBytes += chunk.length;
    // Of a large answer the bytes are put together when they are all there, not once for each piece.
    if (heldBytes < needed) return;
    let bytes = held.length === 1 ? chunk : Buffer.concat(held, heldBytes);
    needed = 0;
    while (bytes.length > 0) {
      const answer = answerIn(bytes);
      if (typeof answer === 'string') return broken(answer);
      if (answer.text === null) {
        needed = answer.end;
        break;
      }
      const id = connection.waiting.shift();
      if (id === undefined) return broken('an answer that nobody asked for');
      const wrong = wrongIn(answer.text, id, to.kind);
      if (wrong !== null) return broken(`the answer to ${id} is not what was asked for: ${wrong}`);
      bytes = bytes.subarray(answer.end);
      arrived(connection, id);
    }
    held = bytes.length === 0 ? [] : [bytes];
    heldBytes = bytes.length;
  });
  socket.on('error', (error) => broken(error.message));
  socket.on('close', () => {
    if (connection.waiting.length > 0) broken('the connection was closed on a call');
  });
  return connection;
}

/** The first answer in these bytes and where it ends; while it is not whole no text, and how many bytes it takes at least. */
function answerIn(bytes: Buffer): { readonly text: string | null; readonly end: number } | string {
  const body = bytes.indexOf(endOfHead) + endOfHead.length;
  if (body < endOfHead.length) return { text: null, end: 0 };
  const head = bytes.toString('latin1', 0, body);
  if (!head.startsWith('HTTP/1.1 200 ')) return `an answer that is none: ${bytes.toString('latin1', 0, 400)}`;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = body + Number(length);
    return { text: bytes.length < end ? null : bytes.toString('utf8', body, end), end };
  }
  return /\r\ntransfer-encoding: chunked\r\n/i.test(head) ? chunksFrom(bytes, body) : `no length: ${head}`;
}

function chunksFrom(bytes: Buffer, body: number): { readonly text: string | null; readonly end: number } | string {
  let text = '';
  for (let at = body; ; ) {
    const line = bytes.indexOf(endOfLine, at);
    if (line === -1) return { text: null, end: 0 };
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) return 'a chunk without a size';
    const [begin, end] = [line + endOfLine.length, line + endOfLine.length * 2 + size];
    if (bytes.length < end) return { text: null, end };
    if (size === 0) return { text, end };
    text += bytes.toString('utf8', begin, begin + size);
    at = end;
  }
}

/** What is wrong with an answer. Compared as text first, since reading it as JSON would cost more than all the rest. */
function wrongIn(text: string, id: number, kind: CallKind): string | null {
  // Other proxies put each answer into a stream of one event.
  const streamed = !text.startsWith('{');
  if (kind !== 'events' && !streamed) return fits(text, id, kind) ? null : text.slice(0, 300);
  const events = text.split('\n').filter((line) => line.startsWith('data: {'));
  const progress = events.slice(0, -1).filter((event) => event.includes(`"progressToken":${id},`));
  if (kind === 'events' && progress.length !== eventCount - 1)
    return `${progress.length} of ${eventCount - 1} events of progress`;
  return fits((events.at(-1) ?? '').slice('data: '.length), id, kind) ? null : (events.at(-1) ?? '').slice(0, 300);
}

function fits(text: string, id: number, kind: CallKind): boolean {
  const content = expected(id, kind);
  if (text === `{"jsonrpc":"2.0","id":${id},"result":{"content":${content},"isError":false}}`) return true;
  const { id: of, result } = JSON.parse(text) as { id?: number; result?: { content?: unknown; isError?: boolean } };
  return of === id && JSON.stringify(result?.content) === content && result?.isError !== true;
}
