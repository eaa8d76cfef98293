import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expected } from './message.ts';

/** One answer that arrived and is what it has to be. */
export type Arrived = (connection: Connection, id: number) => void;

export interface Connection {
  readonly socket: Socket;
  /** Ids whose answers are still to come, oldest first. */
  readonly waiting: number[];
}

const endOfHead = Buffer.from('\r\n\r\n');

/** A client's connection: HTTP/1.1 by hand, since a client library would cost as much as the proxy that is measured. */
export async function openConnection(
  port: number,
  arrived: Arrived,
  broken: (why: string) => void,
): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const connection: Connection = { socket, waiting: [] };
  let held: Buffer | null = null;
  socket.on('data', (chunk: Buffer) => {
    let bytes: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
    while (bytes.length > 0) {
      const end = endOfAnswer(bytes, connection, broken);
      if (end === null) break;
      const id = connection.waiting.shift();
      bytes = bytes.subarray(end);
      if (id !== undefined) arrived(connection, id);
    }
    held = bytes.length === 0 ? null : bytes;
  });
  socket.on('error', (error) => broken(error.message));
  socket.on('close', () => {
    if (connection.waiting.length > 0) broken('the connection was closed on a call');
  });
  return connection;
}

/** Where the first answer in these bytes ends, or null while it is not whole. It is checked on the way. */
function endOfAnswer(bytes: Buffer, { waiting }: Connection, broken: (why: string) => void): number | null {
  const body = bytes.indexOf(endOfHead) + endOfHead.length;
  if (body < endOfHead.length) return null;
  const head = bytes.toString('latin1', 0, body);
  const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? Number.NaN);
  const [id] = waiting;
  if (!head.startsWith('HTTP/1.1 200 ') || Number.isNaN(length) || id === undefined) {
    broken(`an answer that is none: ${head.slice(0, 200)}`);
    return null;
  }
  if (bytes.length < body + length) return null;
  const text = bytes.toString('utf8', body, body + length);
  if (!fits(text, id)) broken(`the answer to ${id} is not what was asked for: ${text.slice(0, 300)}`);
  return body + length;
}

/** Compared as text first, since reading it as JSON would cost more than all the rest. */
function fits(text: string, id: number): boolean {
  const { result } = expected(id);
  if (text === `{"jsonrpc":"2.0","id":${id},"result":${result}}`) return true;
  const answer = JSON.parse(text) as { readonly id?: number; readonly result?: unknown };
  return answer.id === id && JSON.stringify(answer.result) === result;
}
