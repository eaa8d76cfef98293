import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { envelope, modernHeaders, openSession } from '#test/support/messages.ts';
import { openRaw, postLines } from '#test/support/raw-http.ts';

/**
 * A client that leaves, at every moment of a call. In the era of sessions that is no cancellation and the server goes on
 * to its end; in the modern one it is, and the server is stopped (protocol.md A8, B). The audit line says which it was.
 */

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let work: { reached: string[]; finish: () => void };

const gated =
  (say: boolean): Tool['run'] =>
  async (_args, { notify, signal }) => {
    const mine = work;
    const over = Promise.withResolvers<string>();
    mine.finish = () => over.resolve('finished');
    signal.addEventListener('abort', () => over.resolve('stopped'));
    if (say) await notify({ method: 'notifications/message', params: { level: 'info', data: 'began' } });
    mine.reached.push('called');
    mine.reached.push(await over.promise);
    return { content: [{ type: 'text', text: 'done' }] };
  };
const about = { description: 'Works until it may end.', inputSchema: { type: 'object' } };
const added: Record<string, Tool> = {
  silent: { ...about, run: gated(false) },
  telling: { ...about, run: gated(true) },
};

beforeAll(async () => {
  upstream = await startEverything(added);
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(() => {
  work = { reached: [], finish: () => undefined };
  upstream.calls.clear();
});

type Made = Promise<{ headers: Record<string, string>; params: (name: string) => object }>;

const eras: Record<string, () => Made> = {
  async legacy() {
    const { headers } = await openSession(sekisho, { capabilities: { elicitation: {} } });
    return { headers, params: (name) => ({ name }) };
  },
  async modern() {
    const meta = envelope({}, { 'io.modelcontextprotocol/logLevel': 'info' });
    return { headers: modernHeaders(await sekisho.token(), 'tools/call'), params: (name) => ({ name, _meta: meta }) };
  },
};

interface Leaver {
  readonly text: () => string;
  leave(): void;
}

/** Sends a call, or only the first half of its bytes. */
async function call(era: string, tool: string, part: 'whole' | 'half' = 'whole'): Promise<Leaver> {
  const made = await eras[era]?.();
  const name = `up__${tool}`;
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params: made?.params(name) });
  const headers = { ...made?.headers, ...(era === 'modern' ? { 'mcp-name': name } : {}) };
  const sent = part === 'whole' ? body : body.slice(0, body.length / 2);
  const socket = openRaw(sekisho.origin, postLines('/mcp', body.length, headers), sent);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { text: () => text, leave: () => socket.destroy() };
}

const lastLine = async () => (await sekisho.audit()).findLast(({ method }) => method !== 'initialize');

describe.each(['legacy', 'modern'])('a %s client that leaves', (era) => {
  test('before its message is whole has asked for nothing', async () => {
    const client = await call(era, 'silent', 'half');
    await sleep(100);
    client.leave();
    await sleep(100);
    expect(upstream.calls.size).toBe(0);
    const after = await call(era, 'silent');
    await vi.waitFor(() => expect(work.reached).toEqual(['called']));
    work.finish();
    await vi.waitFor(() => expect(after.text()).toContain('done'));
    after.leave();
  });

  test.each([
    ['before its server said anything', 'silent', ''],
    ['in the middle of the answer’s stream', 'telling', 'began'],
  ])(`%s ${era === 'legacy' ? 'leaves the call to go on' : 'cancels the call'}`, async (_, tool, seen) => {
    const client = await call(era, tool);
    await vi.waitFor(() => expect(work.reached).toEqual(['called']));
    await vi.waitFor(() => expect(client.text()).toContain(seen));
    client.leave();
    if (era === 'legacy') {
      await sleep(200);
      expect(work.reached).toEqual(['called']);
      work.finish();
    }
    const ended = era === 'legacy' ? 'finished' : 'stopped';
    await vi.waitFor(() => expect(work.reached).toEqual(['called', ended]), 5_000);
    const outcome = era === 'legacy' ? 'ok' : 'cancelled';
    await vi.waitFor(async () => expect(await lastLine()).toMatchObject({ tool, outcome, reason: null, left: true }));
    expect(upstream.calls.get(tool)).toBe(1);
  });

  test('after its answer has left nothing to be cancelled', async () => {
    const client = await call(era, 'silent');
    await vi.waitFor(() => expect(work.reached).toEqual(['called']));
    work.finish();
    await vi.waitFor(() => expect(client.text()).toContain('done'));
    client.leave();
    await sleep(50);
    expect(work.reached).toEqual(['called', 'finished']);
    expect(await lastLine()).toMatchObject({ tool: 'silent', outcome: 'ok', left: false });
  });
});

test('a legacy client that leaves after a question was asked may still answer it', async () => {
  const session = await openSession(sekisho, { capabilities: { elicitation: {} } });
  const stop = new AbortController();
  const params = { name: 'up__test_elicitation', arguments: { message: 'who?' } };
  const response = await fetch(`${sekisho.origin}/mcp`, {
    method: 'POST',
    headers: {
      ...{ ...session.headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'c', method: 'tools/call', params }),
    signal: stop.signal,
  });
  let text = '';
  const reading = (async () => {
    for await (const part of response.body ?? []) {
      text += Buffer.from(part).toString();
      if (text.includes('elicitation/create')) stop.abort();
    }
  })();
  await reading.catch(() => undefined);
  const [, id = ''] = /"id":"(sekisho-[^"]+)"/.exec(text) ?? [];
  const content = { username: 'ann', email: 'a@example.com' };
  expect((await session.tell({ id, result: { action: 'accept', content } })).status).toBe(202);
  await vi.waitFor(async () =>
    expect(await lastLine()).toMatchObject({ tool: 'test_elicitation', outcome: 'ok', left: true }),
  );
});
