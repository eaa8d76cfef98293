import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { HttpResponse } from '#gateway/adapters/http/carrier.ts';
import { type Door, openDoor } from '#gateway/adapters/http/door.ts';
import { until } from '#test/support/until.ts';

/** A door before a real HTTP server. Both say who read the request, and repeat what they read. */

let server: Server;
let door: Door;
const sockets: Socket[] = [];
/** The server's ends of the connections, by the client's port. */
const ends = new Map<number, Socket>();
const seen: string[] = [];
/** How many connections the server inside was given. */
let inside = 0;
let answer: ((text: string) => void) | null = null;
const responses: HttpResponse[] = [];

const hurried = { patience: 300, sweep: 50, stalled: 10_000 };

async function open(hold = false): Promise<number> {
  inside = 0;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seen.push(`node ${request.method} ${request.url} ${body}`);
      response.end(`node:${body}`);
    });
  });
  server.on('connection', () => inside++);
  const serve: Parameters<typeof openDoor>[1] = (request, response) => {
    seen.push(`door ${request.method} ${request.url} ${request.body}`);
    response.once('close', () => seen.push(`closed ${response.writableFinished}`));
    const reply = (text: string): void => void response.writeHead(200, { 'content-type': 'text/plain' }).end(text);
    responses.push(response);
    if (hold) answer = reply;
    else reply(`door:${request.body}`);
  };
  door = openDoor(server, serve, hurried);
  server.on('connection', (socket: Socket) => ends.set(socket.remotePort ?? 0, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  door.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  seen.length = 0;
  responses.length = 0;
  answer = null;
});

const head = (length: number, extra = ''): string =>
  `POST /mcp HTTP/1.1\r\nHost: x\r\n${extra}Content-Length: ${length}\r\n\r\n`;
const plain = (body: string): string => `${head(body.length)}${body}`;
const chunked = 'POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';

interface Wire {
  readonly socket: Socket;
  /** One part after the other, each when all before it was read. */
  send(...parts: readonly string[]): Promise<void>;
  /** The bodies of `count` answers. */
  bodies(count: number): Promise<string[]>;
}

async function wire(port: number): Promise<Wire> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  await once(socket, 'connect');
  const read = (): string[] => [...text.matchAll(/\r\n\r\n((?:door|node):[^H]*)/g)].map(([, body = '']) => body);
  return {
    socket,
    async send(...parts) {
      for (const part of parts) {
        socket.write(part);
        await until(() => ends.get(socket.localPort ?? 0)?.bytesRead === socket.bytesWritten);
      }
    },
    async bodies(count) {
      await until(() => read().length >= count);
      return read();
    },
  };
}

describe('a plain request', () => {
  test('is answered at the door, and the next one on the same connection, too', async () => {
    const client = await wire(await open());
    await client.send(plain('one'), plain('two'));
    expect(await client.bodies(2)).toEqual(['door:one', 'door:two']);
  });

  test('may come with its body later, in as many pieces as it likes', async () => {
    const client = await wire(await open());
    await client.send(head(6), 'ab', 'cd', 'ef', plain('next'));
    expect(await client.bodies(2)).toEqual(['door:abcdef', 'door:next']);
  });

  test('has a response that says when, how long and what', async () => {
    const client = await wire(await open());
    let text = '';
    client.socket.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    await client.send(plain('x'));
    await client.bodies(1);
    expect(text.split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      'content-type: text/plain',
      expect.stringMatching(/^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/),
      'connection: keep-alive',
      'keep-alive: timeout=65',
      'content-length: 6',
      '',
      'door:x',
    ]);
  });

  test('whose client leaves before the answer closes, unfinished', async () => {
    const client = await wire(await open(true));
    await client.send(plain('x'));
    client.socket.destroy();
    await expect.poll(() => seen).toEqual(['door POST /mcp x', 'closed false']);
    answer?.('late');
    expect(seen).toHaveLength(2);
  });
});

describe('an answer that is over', () => {
  test('does nothing to the next one of its connection, whoever still holds it', async () => {
    const client = await wire(await open(true));
    await client.send(plain('one'));
    answer?.('door:one');
    await client.send(plain('two'));
    const [over, next] = responses;
    over?.write('more');
    over?.end('more');
    const drained = (): void => undefined;
    over?.once('drain', drained);
    over?.destroy();
    answer?.('door:two');
    expect(await client.bodies(2)).toEqual(['door:one', 'door:two']);
    expect([next?.destroyed, client.socket.destroyed]).toEqual([false, false]);
    expect(ends.get(client.socket.localPort ?? 0)?.listeners('drain')).not.toContain(drained);
  });

  test.each(['answered', 'left'])('says so at once to who asks only then: one that was %s', async (how) => {
    const client = await wire(await open(true));
    await client.send(plain('one'));
    if (how === 'answered') answer?.('door:one');
    else client.socket.destroy();
    await until(() => seen.length === 2);
    let told = 0;
    responses[0]?.once('close', () => told++);
    expect(told).toBe(1);
  });
});

describe('everything else is given to the server, and nothing of it is lost', () => {
  test.each([
    ['a chunked body', chunked, ['node:abc']],
    ['another method', 'GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n', ['node:']],
    ['a name the door does not know', `${head(1, 'X-A: b\r\n')}z`, ['node:z']],
    ['two requests at once', plain('one') + plain('two'), ['node:one', 'node:two']],
  ])('%s', async (_, text, bodies) => {
    const client = await wire(await open());
    await client.send(text);
    expect(await client.bodies(bodies.length)).toEqual(bodies);
  });

  test('also after the door has answered on the connection; the door does not get it back', async () => {
    const client = await wire(await open());
    await client.send(plain('one'), chunked, plain('two'));
    expect(await client.bodies(3)).toEqual(['door:one', 'node:abc', 'node:two']);
  });

  test('what came while a request was being answered follows that answer', async () => {
    const client = await wire(await open(true));
    await client.send(plain('one'), plain('two'));
    // Nobody reads this before the first is answered.
    client.socket.write(plain('three'));
    answer?.('door:held');
    expect(await client.bodies(3)).toEqual(['door:held', 'node:two', 'node:three']);
  });

  test('a body that is longer than it said: its rest is no request', async () => {
    const client = await wire(await open());
    await client.send(`${head(3)}abcGET /secret HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(await client.bodies(2)).toEqual(['node:abc', 'node:']);
    expect(seen).toEqual(['node POST /mcp abc', 'node GET /secret ']);
  });

  test('a head in pieces', async () => {
    const client = await wire(await open());
    const text = plain('pieces');
    await client.send(text.slice(0, 20), text.slice(20));
    expect(await client.bodies(1)).toEqual(['node:pieces']);
  });

  test('a connection that sends half a request, or nothing, and waits', async () => {
    const port = await open();
    const [half, silent] = [await wire(port), await wire(port)];
    await half.send(head(5), 'ab');
    await until(() => inside === 2);
    await Promise.all([half.send('cde'), silent.send(plain('late'))]);
    expect([await half.bodies(1), await silent.bodies(1)]).toEqual([['node:abcde'], ['node:late']]);
  });

  test('a body that comes byte by byte, each in time: it has no longer than one that comes at once', async () => {
    const client = await wire(await open());
    await client.send(head(5000));
    for (let sent = 1; sent < 5000 && inside === 0; sent++) {
      await client.send('x');
      await sleep(hurried.sweep);
    }
    expect(inside).toBe(1);
    await client.send('x'.repeat(5000 - (client.socket.bytesWritten - head(5000).length)));
    expect(await client.bodies(1)).toEqual([`node:${'x'.repeat(5000)}`]);
  });
});

test('wherever a pair of requests is cut in two, it is answered with the same', async () => {
  const port = await open();
  const text = plain('first') + plain('second');
  const cuts = Array.from({ length: text.length - 1 }, (_, i) => i + 1);
  const answered = cuts.map(async (cut) => {
    const client = await wire(port);
    await client.send(text.slice(0, cut), text.slice(cut));
    return (await client.bodies(2)).map((body) => body.slice(5));
  });
  expect(new Set((await Promise.all(answered)).map(String))).toEqual(new Set(['first,second']));
});
