import { getActiveResourcesInfo } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { everythingServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { type LegacySession, openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';
import { readSse } from '#test/support/sse-reader.ts';

let upstream: EverythingUpstream;
let other: EverythingUpstream;
let sekisho: TestGateway;
const added: Record<string, Tool> = {
  chatty: {
    description: 'Logs at three levels.',
    inputSchema: { type: 'object' },
    async run(_args, { notify }) {
      for (const level of ['debug', 'warning', 'error']) {
        await notify({ method: 'notifications/message', params: { level, data: level } });
      }
      return { content: [{ type: 'text', text: 'said' }] };
    },
  },
};

beforeAll(async () => {
  upstream = await startEverything(added);
  other = await startEverything();
  const tools = { '*': { action: 'read' } };
  sekisho = await startGateway({
    servers: {
      up: { tier: 'internal', url: upstream.url, tools, limits: { inflight: 200 } },
      other: { tier: 'internal', url: other.url, tools },
      child: { ...everythingServer, limits: { inflight: 200 } },
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await other?.close();
});

beforeEach(() => upstream.calls.clear());

describe('the handshake', () => {
  test.each(['2025-06-18', '2025-11-25'])('agrees on revision %s when it is asked for', async (revision) => {
    const session = await openSession(sekisho, { revision });
    expect(session.agreed.answer.result).toMatchObject({ protocolVersion: revision, serverInfo: { name: 'sekisho' } });
    expect(textOf(await session.call('up__echo', { message: 'hi' }))).toBe('hi');
  });

  test.each(['2024-11-05', '2199-01-01', 'nonsense'])('offers its newest legacy revision for %s', async (revision) => {
    const { agreed } = await openSession(sekisho, { revision });
    expect(agreed.answer.result?.protocolVersion).toBe('2025-11-25');
  });

  test('is answered once a session with an id that nobody can guess', async () => {
    const token = await sekisho.token();
    const ids = await Promise.all(Array.from({ length: 10 }, async () => (await openSession(sekisho, { token })).id));
    expect(new Set(ids).size).toBe(10);
    for (const id of ids) expect(id).toMatch(/^[\x21-\x7e]{32,}$/);
  });

  test('takes notifications/initialized with 202 and no body', async () => {
    const session = await openSession(sekisho);
    const told = await session.tell({ method: 'notifications/initialized' });
    expect([told.status, await told.text()]).toEqual([202, '']);
  });
});

describe('a session', () => {
  test('is required: without its id nothing but initialize is answered', async () => {
    const authorization = `Bearer ${await sekisho.token()}`;
    const response = await sekisho.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { authorization });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('Mcp-Session-Id');
  });

  test('says nothing to who has no token: 401 comes before what is wrong with the session', async () => {
    const { headers } = await openSession(sekisho);
    const { authorization: _, ...anonymous } = headers as Record<string, string>;
    for (const id of [anonymous['mcp-session-id'] ?? '', 'forged']) {
      const request = { jsonrpc: '2.0', id: 1, method: 'ping' };
      expect((await sekisho.post(request, { ...anonymous, 'mcp-session-id': id })).status).toBe(401);
      const note = { jsonrpc: '2.0', method: 'notifications/initialized' };
      expect((await sekisho.post(note, { ...anonymous, 'mcp-session-id': id })).status).toBe(401);
    }
    expect((await sekisho.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).status).toBe(401);
  });

  test('answers ping, and lists, reads, prompts and completes through its server', async () => {
    const session = await openSession(sekisho, { path: '/mcp/server/up' });
    expect((await session.ask('ping')).answer.result).toEqual({});
    expect((await session.ask('resources/read', { uri: 'test://static-text' })).answer.result).toHaveProperty(
      'contents',
    );
    const template = await session.ask('resources/read', { uri: 'test://template/7/data' });
    expect(JSON.stringify(template.answer)).toContain('Data for ID: 7');
    const prompt = { name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } };
    expect(JSON.stringify((await session.ask('prompts/get', prompt)).answer)).toContain("arg1='a', arg2='b'");
    const completion = {
      ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'par' },
    };
    expect((await session.ask('completion/complete', completion)).answer.result).toMatchObject({
      completion: { values: ['paris', 'park', 'party'] },
    });
  });

  test('that was ended with DELETE is unknown', async () => {
    const session = await openSession(sekisho);
    expect((await session.end()).status).toBe(200);
    const after = await session.ask('ping');
    expect([after.status, reasonOf(after)]).toEqual([404, 'session_unknown']);
    expect((await session.end()).status).toBe(404);
    expect((await session.stream()).status).toBe(404);
  });

  test('of another run is unknown, by POST, GET and DELETE, and stays whole', async () => {
    const mine = await openSession(sekisho);
    const thief = { ...mine.headers, authorization: `Bearer ${await sekisho.token()}` };
    const posted = await sekisho.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, thief);
    const got = await fetch(`${sekisho.origin}/mcp`, { headers: { ...thief, accept: 'text/event-stream' } });
    const deleted = await fetch(`${sekisho.origin}/mcp`, { method: 'DELETE', headers: thief });
    expect([posted.status, got.status, deleted.status]).toEqual([404, 404, 404]);
    expect((await mine.ask('ping')).status).toBe(200);
  });

  test('with a forged or altered id is unknown', async () => {
    const session = await openSession(sekisho);
    const altered = `${session.id.slice(0, -2)}${session.id.endsWith('AA') ? 'BB' : 'AA'}`;
    for (const id of [altered, 'AAAA', 'x'.repeat(100), session.id.slice(0, 60)]) {
      const headers = { ...session.headers, 'mcp-session-id': id };
      const response = await sekisho.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, headers);
      expect(response.status).toBe(404);
    }
  });

  test('of one view is unknown on another', async () => {
    const session = await openSession(sekisho, { path: '/mcp/server/up' });
    const elsewhere = ['/mcp', '/mcp/server/other'];
    for (const path of elsewhere) {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
      expect((await sekisho.post(message, session.headers, path)).status).toBe(404);
    }
  });

  test.each(['1999-01-01', '2026-13-45', 'latest'])(
    'with the revision header %s is refused with 400',
    async (revision) => {
      const session = await openSession(sekisho);
      const headers = { ...session.headers, 'mcp-protocol-version': revision };
      const response = await sekisho.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, headers);
      expect(response.status).toBe(400);
    },
  );

  test('may leave the revision header out: what was agreed holds', async () => {
    const { headers } = await openSession(sekisho);
    const { 'mcp-protocol-version': _, ...without } = headers as Record<string, string>;
    const response = await sekisho.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, without);
    expect(response.status).toBe(200);
  });

  test('whose call is cancelled stops it at the server, and the session goes on', async () => {
    const session = await openSession(sekisho);
    const slow = session.call('up__wait', { ms: 15_000 }, 'slow');
    await vi.waitFor(() => expect(upstream.calls.get('wait')).toBe(1), 5_000);
    const began = performance.now();
    const told = await session.tell({ method: 'notifications/cancelled', params: { requestId: 'slow' } });
    expect(told.status).toBe(202);
    await slow;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await session.ask('ping')).status).toBe(200);
  });

  test('refuses a second request under an id that is still under way', async () => {
    const session = await openSession(sekisho);
    const slow = session.call('up__wait', { ms: 500 }, 7);
    await vi.waitFor(() => expect(upstream.calls.get('wait')).toBe(1), 5_000);
    expect((await session.call('up__echo', { message: 'x' }, 7)).status).toBe(400);
    expect(textOf(await slow)).toBe('waited');
  });
});

describe('the stream of a session', () => {
  let session: LegacySession;
  beforeEach(async () => {
    session = await openSession(sekisho);
  });

  test('is one: a second is refused and does not displace the first', async () => {
    const first = await session.stream();
    const second = await session.stream();
    expect([first.status, second.status]).toEqual([200, 409]);
    const reader = readSse(first);
    await upstream.tellChanged();
    await flipTool();
    expect(await reader.next('notifications/tools/list_changed')).toBeDefined();
    await reader.stop();
    await vi.waitFor(async () => {
      const third = await session.stream();
      await third.body?.cancel();
      expect(third.status).toBe(200);
    });
  });

  test('must be asked for as an event stream', async () => {
    expect((await session.stream({ accept: 'application/json' })).status).toBe(406);
  });

  test('tells that a resource was updated to who subscribed, and to nobody else', async () => {
    const mine = readSse(await session.stream());
    const bystander = await openSession(sekisho);
    const theirs = readSse(await bystander.stream());
    const { answer } = await session.ask('resources/subscribe', { uri: 'test://watched-resource' });
    expect(answer.result).toEqual({});
    const updated = await mine.next('notifications/resources/updated');
    expect(updated.params).toMatchObject({ uri: 'test://watched-resource' });
    expect(theirs.messages.filter(({ method }) => method === 'notifications/resources/updated')).toEqual([]);
    expect((await session.ask('resources/unsubscribe', { uri: 'test://watched-resource' })).answer.result).toEqual({});
    await Promise.all([mine.stop(), theirs.stop()]);
  });

  test('ends when the session is ended', async () => {
    const reader = readSse(await session.stream());
    await session.end();
    await reader.ended;
  });

  test('ends with the token', async () => {
    const brief = await openSession(sekisho, { token: await sekisho.token({ ttl: 2 }) });
    const reader = readSse(await brief.stream());
    await reader.ended;
    expect((await brief.ask('ping')).status).toBe(401);
  });
});

/** Changes what the server lists: an approved tool goes away, or comes back. */
async function flipTool(): Promise<void> {
  const { chatty } = added;
  delete added.chatty;
  await sekisho.gateway.snapshots.refresh('up');
  if (chatty) added.chatty = chatty;
  await sekisho.gateway.snapshots.refresh('up');
}

describe('the log level of a session', () => {
  const levels = async (session: LegacySession): Promise<unknown[]> => {
    const { messages } = await session.call('up__chatty');
    return messages.filter(({ method }) => method === 'notifications/message').map(({ params }) => params?.level);
  };

  test('lets everything through until one is set, then only what is at least as severe', async () => {
    const session = await openSession(sekisho);
    expect(await levels(session)).toEqual(['debug', 'warning', 'error']);
    expect((await session.ask('logging/setLevel', { level: 'warning' })).answer.result).toEqual({});
    expect(await levels(session)).toEqual(['warning', 'error']);
    await session.ask('logging/setLevel', { level: 'emergency' });
    expect(await levels(session)).toEqual([]);
  });

  test('is refused when it is none', async () => {
    const session = await openSession(sekisho);
    const refused = await session.ask('logging/setLevel', { level: 'loud' });
    expect(refused.answer.error).toMatchObject({ code: -32602, data: { reason: 'arguments_invalid' } });
  });
});

describe('many at once', () => {
  test.each([
    ['200 runs', () => sekisho.token()],
    [
      'one run in 200 sessions',
      (() => {
        let token: Promise<string> | null = null;
        return () => (token ??= sekisho.token());
      })(),
    ],
  ])('%s that all use id 0 each get their own answer', async (_, token) => {
    const sessions = await Promise.all(
      Array.from({ length: 200 }, async () => openSession(sekisho, { token: await token() })),
    );
    const answers = await Promise.all(
      sessions.map((session, i) => session.call(i % 2 ? 'up__echo' : 'child__echo', { message: `mine-${i}` }, 0)),
    );
    answers.forEach((heard, i) => {
      expect(heard.answer.id).toBe(0);
      expect(textOf(heard)).toBe(i % 2 ? `mine-${i}` : `Echo: mine-${i}`);
    });
  });

  test('1,000 sessions opened and dropped leave sockets, children, sessions and memory where they were', async () => {
    const token = await sekisho.token();
    const batch = async (size: number): Promise<void> => {
      await Promise.all(
        Array.from({ length: size }, async (_, i) => {
          const session = await openSession(sekisho, { token });
          const stop = new AbortController();
          if (i % 10 === 0) await session.stream({}, stop.signal);
          await session.ask('tools/list');
          if (i % 2) await session.end();
          stop.abort();
        }),
      );
    };
    await batch(100);
    const before = await footprint();
    for (let i = 0; i < 20; i++) await batch(50);
    await vi.waitFor(
      async () => {
        const after = await footprint();
        expect(after.streams).toBe(before.streams);
        expect(after.inflight).toBe(0);
        expect(after.children).toBe(before.children);
        expect(after.upstreamSessions).toBe(before.upstreamSessions);
        // Sockets that a keep-alive pool holds: some, and never one a session.
        expect(after.sockets).toBeLessThan(before.sockets + 60);
        expect(after.heap - before.heap).toBeLessThan(8 * 1024 * 1024);
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function footprint() {
  const page = await sekisho.metrics();
  const resources = getActiveResourcesInfo();
  collectGarbage();
  return {
    heap: process.memoryUsage().heapUsed,
    sockets: resources.filter((kind) => kind === 'TCPSocketWrap').length,
    children: resources.filter((kind) => kind === 'ProcessWrap').length,
    streams: total(page, 'sekisho_streams_open'),
    inflight: total(page, 'sekisho_inflight_requests'),
    upstreamSessions: upstream.sessions(),
  };
}
