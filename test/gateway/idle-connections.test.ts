import { expect, onTestFinished, test } from 'vitest';
import { anOpenServer, startGateway } from '#test/support/gateway.ts';
import { openSession, textOf } from '#test/support/messages.ts';
import { startRawServer } from '#test/support/raw-server.ts';

/** C6: a server that writes an answer more than it was asked for. HTTP/1.1 has no numbers: the next caller would read it. */

const tools = [{ name: 'whoami', inputSchema: { type: 'object' } }];

const json = (body: unknown): string => {
  const text = JSON.stringify(body);
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
};
const said = (id: unknown, text: string) => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });

const empty = (status: string): string => `HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`;

/** By method of a message, or of a request without one; a call is answered apart. */
const plainAnswers: Record<string, string | object | undefined> = {
  'server/discover': empty('404 Not Found'),
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } },
  'notifications/initialized': empty('202 Accepted'),
  'tools/list': { tools },
  GET: empty('405 Method Not Allowed'),
  DELETE: empty('200 OK'),
};

/** What it answers, and whatever it writes besides once a call is answered. */
async function serving(extra: (write: (text: string) => void, id: unknown) => void) {
  const spoiled: boolean[] = [];
  let calls = 0;
  const server = await startRawServer({
    answer(socket, request) {
      const message = JSON.parse(request.slice(request.indexOf('\r\n\r\n') + 4) || '{}');
      const { id, method } = message;
      const plain = plainAnswers[method ?? request.split(' ', 1)[0]];
      if (plain)
        return void socket.write(typeof plain === 'string' ? plain : json({ jsonrpc: '2.0', id, result: plain }));
      calls++;
      const at = spoiled.push(false) - 1;
      socket.on('close', () => {
        spoiled[at] = true;
      });
      socket.write(json(said(id, `answer ${calls}`)));
      if (calls === 1) extra((text) => socket.write(text), id);
    },
  });
  const sekisho = await startGateway({ servers: { up: anOpenServer(server.url) } });
  onTestFinished(() => sekisho.close());
  return { sekisho, closed: () => spoiled[0] === true };
}

const stolen = 'what was meant for somebody else';

test.each<[string, (write: (text: string) => void, id: unknown) => void]>([
  ['in the same breath', (write, id) => write(json(said(id, stolen)))],
  [
    'a while later, when the connection is idle',
    (write, id) => void setTimeout(() => write(json(said(id, stolen))), 50),
  ],
  ['with the next number', (write, id) => void setTimeout(() => write(json(said(Number(id) + 1, stolen))), 50)],
  ['and only begins it', (write, id) => void setTimeout(() => write(json(said(id, stolen)).slice(0, 40)), 50)],
])('an answer that nobody asked for, %s, ends its connection and is read by nobody', async (_, extra) => {
  const { sekisho, closed } = await serving(extra);
  const mine = await openSession(sekisho, { token: await sekisho.token() });
  const other = await openSession(sekisho, { token: await sekisho.token() });
  expect(textOf(await mine.call('up__whoami'))).toBe('answer 1');
  await expect.poll(closed).toBe(true);
  expect(textOf(await other.call('up__whoami'))).toBe('answer 2');
  expect(textOf(await mine.call('up__whoami'))).toBe('answer 3');
  const lines = (await sekisho.audit()).filter(({ method }) => method === 'tools/call');
  expect(lines.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  expect(JSON.stringify([lines, sekisho.log, await sekisho.metrics()])).not.toContain(stolen);
});
