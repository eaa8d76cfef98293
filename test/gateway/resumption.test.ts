import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { heard, type LegacySession, modernHeaders, openSession, reasonOf } from '#test/support/messages.ts';
import { readSse, type SseReader } from '#test/support/sse-reader.ts';

/** Legacy streams whose connection broke: what was missed comes on another, to the same session only. */

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let session: LegacySession;
let say: ((text: string) => Promise<void>) | null = null;
let finish: (() => void) | null = null;

/** Says what the test tells it to say, until the test lets it end. */
const spoken: Tool = {
  description: 'Says what it is told to say.',
  inputSchema: { type: 'object' },
  async run(_args, { notify }) {
    say = (data) => notify({ method: 'notifications/message', params: { level: 'info', data } });
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return { content: [{ type: 'text', text: 'the end' }] };
  },
};

beforeAll(async () => {
  upstream = await startEverything({ spoken });
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  [say, finish] = [null, null];
  session = await openSession(sekisho);
});

interface Opened {
  readonly reader: SseReader;
  readonly text: () => string;
  leave(): void;
}

async function open(response: Promise<Response>, stop: AbortController): Promise<Opened> {
  const got = await response;
  const [one, other] = got.body?.tee() ?? [];
  let text = '';
  void (async () => {
    const decoder = new TextDecoder();
    for await (const part of other ?? []) text += decoder.decode(part);
  })().catch(() => undefined);
  const reader = readSse(new Response(one ?? null, { status: got.status, headers: got.headers }));
  return { reader, text: () => text, leave: () => stop.abort() };
}

async function calling(of: LegacySession = session): Promise<Opened> {
  const stop = new AbortController();
  const message = { jsonrpc: '2.0', id: 'call', method: 'tools/call', params: { name: 'up__spoken' } };
  const accept = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
  const response = fetch(`${sekisho.origin}/mcp`, {
    ...{ method: 'POST', headers: { ...of.headers, ...accept }, body: JSON.stringify(message), signal: stop.signal },
  });
  await vi.waitFor(() => expect(say).not.toBeNull());
  await say?.('first');
  return open(response, stop);
}

async function back(after: string, of: LegacySession = session): Promise<Opened> {
  const stop = new AbortController();
  return open(of.stream({ 'last-event-id': after }, stop.signal), stop);
}

const idsIn = (text: string): string[] => [...text.matchAll(/^id: (.+)$/gm)].map(([, id = '']) => id);
const saidIn = ({ messages }: SseReader): unknown[] =>
  messages.map(({ params, result }) => params?.data ?? result?.content?.[0]?.text);
const lastId = (opened: Opened): string => idsIn(opened.text()).at(-1) ?? '';

describe('a stream of a legacy session', () => {
  test('begins with an event that it can be taken up from, and says how soon', async () => {
    const call = await calling();
    await call.reader.next('notifications/message');
    expect(call.text()).toMatch(/^id: [\w-]+\.0\nretry: \d+\ndata: \n\nid: [\w-]+\.1\nevent: message\ndata: \{/);
    finish?.();
    await call.reader.ended;
  });

  test('of a revision before 2025-11-25 has no event without data, and can be taken up all the same', async () => {
    const older = await openSession(sekisho, { revision: '2025-06-18' });
    const call = await calling(older);
    await call.reader.next('notifications/message');
    expect(call.text()).toMatch(/^id: [\w-]+\.1\nevent: message\n/);
    call.leave();
    finish?.();
    const again = await back(lastId(call), older);
    await again.reader.ended;
    expect(saidIn(again.reader)).toEqual(['the end']);
  });

  test('goes on after the last event that came: nothing twice, nothing missing, the server called once', async () => {
    upstream.calls.clear();
    const call = await calling();
    await call.reader.next('notifications/message');
    const seen = lastId(call);
    call.leave();
    await sleep(50);
    await say?.('second');
    const again = await back(seen);
    await say?.('third');
    finish?.();
    await again.reader.ended;
    expect(saidIn(again.reader)).toEqual(['second', 'third', 'the end']);
    expect(again.reader.messages.at(-1)?.id).toBe('call');
    expect(upstream.calls.get('spoken')).toBe(1);
  });

  test('costs its run all that it said, also on the connection that was left before the end', async () => {
    const call = await calling();
    await say?.('x'.repeat(100_000));
    await vi.waitFor(() => expect(saidIn(call.reader)).toHaveLength(2));
    call.leave();
    const again = await back(lastId(call));
    finish?.();
    await again.reader.ended;
    expect(saidIn(again.reader)).toEqual(['the end']);
    const line = (await sekisho.audit()).findLast(({ tool }) => tool === 'spoken');
    expect(line?.bytes_out).toBeGreaterThan(100_000);
    expect(line?.bytes_out).toBeLessThan(101_000);
  });

  test('has its answer ready for who comes back after its end', async () => {
    const call = await calling();
    await call.reader.next('notifications/message');
    call.leave();
    await sleep(50);
    finish?.();
    await vi.waitFor(async () =>
      expect((await sekisho.audit()).at(-1)).toMatchObject({ tool: 'spoken', outcome: 'ok', left: true }),
    );
    for (const _ of [1, 2]) {
      const again = await back(lastId(call));
      await again.reader.ended;
      expect(saidIn(again.reader)).toEqual(['the end']);
    }
  });

  test('is unknown to another session of the same run, and to another run with this session', async () => {
    const call = await calling();
    await call.reader.next('notifications/message');
    const other = await openSession(sekisho, { token: session.token });
    const answer = await heard(await other.stream({ 'last-event-id': lastId(call) }));
    expect([answer.status, reasonOf(answer)]).toEqual([400, 'event_unknown']);
    const thief = { authorization: `Bearer ${await sekisho.token()}`, 'last-event-id': lastId(call) };
    expect((await session.stream(thief)).status).toBe(404);
    finish?.();
    await call.reader.ended;
    expect(saidIn(call.reader)).toEqual(['first', 'the end']);
  });

  test.each(['nonsense', '', 'AAAAAAAAAAAA.1', '../../etc'])('has no event %j to go on from', async (after) => {
    const answer = await heard(await session.stream({ 'last-event-id': after }));
    expect([answer.status, reasonOf(answer)]).toEqual([400, 'event_unknown']);
    expect((await sekisho.audit()).at(-1)).toMatchObject({ reason: 'event_unknown', method: 'GET' });
  });

  test('is gone with its session', async () => {
    const call = await calling();
    await call.reader.next('notifications/message');
    await session.end();
    expect((await session.stream({ 'last-event-id': lastId(call) })).status).toBe(404);
  });
});

describe('a modern client', () => {
  test('gets neither event ids nor a way to go back', async () => {
    const token = await sekisho.token();
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/logLevel': 'info',
    };
    const params = { name: 'up__spoken', _meta: meta };
    const response = sekisho.post(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      modernHeaders(token, 'tools/call', 'up__spoken'),
    );
    await vi.waitFor(() => expect(say).not.toBeNull());
    await say?.('first');
    finish?.();
    const text = await (await response).text();
    expect(text).toContain('the end');
    expect(text).not.toMatch(/^(id|retry):/m);
  });
});
