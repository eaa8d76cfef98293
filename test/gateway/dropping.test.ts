import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  type Hostile,
  type HostileUpstream,
  result,
  type Scene,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { askModern, type Heard, openSession, reasonOf } from '#test/support/messages.ts';

/** A server that drops the connection, at every moment of a call: one clear refusal, and no call is made twice. */

const note = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 't', progress: 1 } };
const answer = ({ message }: Hostile): string => {
  const done = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] };
  return JSON.stringify({ jsonrpc: '2.0', id: message.id, result: done });
};
const head = (response: ServerResponse, type: string): ServerResponse => {
  response.writeHead(200, { 'content-type': type }).flushHeaders();
  return response;
};
/** Once what was written has left: what a peer never got was never said. */
const drop = (response: ServerResponse): unknown => setTimeout(() => response.socket?.destroy(), 50);

const moments: readonly (readonly [string, Scene])[] = [
  ['before it answers', ({ response }) => response.socket?.destroy()],
  ['by ending its side before it answers', ({ response }) => response.socket?.end()],
  [
    'in the middle of the head',
    ({ response }) => {
      response.socket?.write('HTTP/1.1 200 OK\r\ncontent-ty');
      drop(response);
    },
  ],
  ['between the head and a body', ({ response }) => drop(head(response, 'application/json'))],
  [
    'in the middle of a body',
    (heard) => {
      head(heard.response, 'application/json').write(answer(heard).slice(0, 40));
      drop(heard.response);
    },
  ],
  ['before the first event', ({ response }) => drop(head(response, 'text/event-stream'))],
  [
    'between two events',
    ({ response }) => {
      head(response, 'text/event-stream').write(`data: ${JSON.stringify(note)}\n\n`);
      drop(response);
    },
  ],
  [
    'in the middle of the event that answers',
    (heard) => {
      head(heard.response, 'text/event-stream').write(`data: ${answer(heard).slice(0, 40)}`);
      drop(heard.response);
    },
  ],
  [
    'by ending the stream before the answer',
    ({ response }) => head(response, 'text/event-stream').end(`data: ${JSON.stringify(note)}\n\n`),
  ],
  [
    'with the answer written, and its last blank line not',
    (heard) => {
      head(heard.response, 'text/event-stream').write(`data: ${answer(heard)}\n`);
      drop(heard.response);
    },
  ],
];

const lists = { 'tools/list': { tools: [{ name: 'once', inputSchema: { type: 'object' } }] } };
const discovery = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
const modern = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
const servers: Readonly<Record<string, Readonly<Record<string, Scene>>>> = {
  legacy: {
    initialize: ({ response, message }) => answerInitialize(response, message, 'a-session', { tools: {} }),
    'tools/list': result(lists['tools/list']),
  },
  modern: {
    'server/discover': result({ ...modern, ...discovery }),
    'tools/list': result({ ...modern, ...lists['tools/list'] }),
  },
};

type Call = (name: string) => Promise<Heard>;
const clients: Readonly<Record<string, Call>> = {
  legacy: async (name) => (await openSession(sekisho)).call(name, {}),
  modern: async (name) => askModern(sekisho, 'tools/call', { name, arguments: {} }, { token: await sekisho.token() }),
};

const cases = Object.entries(servers).flatMap(([era, scenes]) =>
  moments.map(([moment, scene], at) => ({
    era,
    moment,
    id: `${era}-${at}`,
    scenes: { ...scenes, 'tools/call': scene },
  })),
);
const behind = new Map<string, HostileUpstream>();
let sekisho: TestGateway;

beforeAll(async () => {
  for (const { id, scenes } of cases) behind.set(id, await startHostileUpstream(scenes));
  const entries = [...behind].map(([id, { url }]) => [id, anOpenServer(url)]);
  sekisho = await startGateway({ servers: Object.fromEntries(entries) });
});

afterAll(async () => {
  await sekisho?.close();
  for (const server of behind.values()) await server.close();
});

describe('a server that drops', () => {
  test.each(cases)('$moment is refused once, for clients of both eras, and called once: $era', async ({ id }) => {
    const server = behind.get(id);
    for (const [called, call] of Object.values(clients).entries()) {
      const answered = await call(`${id}__once`);
      expect(['upstream_lost', 'upstream_unreachable', 'upstream_invalid']).toContain(reasonOf(answered));
      expect(answered.answer.result).toMatchObject({ isError: true });
      expect(answered.messages.filter(({ method }) => method === undefined)).toHaveLength(1);
      expect(server?.count('tools/call')).toBe(called + 1);
      const lines = (await sekisho.audit()).filter((line) => line.server === id);
      expect(lines).toHaveLength(called + 1);
      expect(lines.at(-1)).toMatchObject({ reason: reasonOf(answered), left: false });
      expect(lines.at(-1)?.outcome).not.toBe('ok');
    }
  });
});
