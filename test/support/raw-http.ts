import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends exactly these bytes on a connection of its own, and reads until the other side closes or has answered. */
export function sendRaw(origin: string, lines: readonly string[], body: string | Buffer = ''): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = openRaw(origin, lines, body);
    let text = '';
    const done = (): void => {
      socket.destroy();
      const cut = text.indexOf('\r\n\r\n');
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      resolve({ status, head: text.slice(0, Math.max(cut, 0)), body: cut < 0 ? '' : text.slice(cut + 4) });
    };
    socket.setTimeout(5_000, done);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const length = /^content-length: (\d+)$/im.exec(text)?.[1];
      const cut = text.indexOf('\r\n\r\n');
      if (length !== undefined && cut >= 0 && text.length - cut - 4 >= Number(length)) done();
    });
    socket.on('close', done);
    socket.on('error', (error: NodeJS.ErrnoException) => (text === '' ? reject(error) : done()));
  });
}

/** A connection on which these bytes were sent; the test reads it, or does not. */
export function openRaw(origin: string, lines: readonly string[], body: string | Buffer = ''): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.write(body);
  return socket;
}

/** The lines of a POST as a client would write them, with these headers instead of, or besides, the usual ones. */
export function postLines(
  target: string,
  length: number | null,
  headers: Readonly<Record<string, string | null>>,
  twice: readonly string[] = [],
): string[] {
  const usual: Record<string, string | null> = {
    host: '127.0.0.1',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'content-length': length === null ? null : String(length),
  };
  const lines = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== null);
  return [`POST ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), ...twice];
}
