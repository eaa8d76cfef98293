import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { openSession, reasonOf, textOf } from '#test/support/messages.ts';

/** Sessions of clients up to 2025-11-25: how they begin, whose they are, and how they end. */

let sekisho: TestGateway;
let upstream: EverythingUpstream;
let other: EverythingUpstream;

beforeAll(async () => {
  [upstream, other] = await Promise.all([startEverything(), startEverything()]);
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url), other: anOpenServer(other.url) } });
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
