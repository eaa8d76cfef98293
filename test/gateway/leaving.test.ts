import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { answerInitialize, result, startHostileUpstream } from '#test/support/hostile-upstream.ts';
import { envelope, modernHeaders, openSession } from '#test/support/messages.ts';
import { openRaw, postLines } from '#test/support/raw-http.ts';

/**
 * A client that leaves, at every moment of a call. In the era of sessions that is no cancellation and the server goes on
 * to its end; in the modern one it is, and the server is stopped (protocol.md A8, B). The audit line says which it was.
 */

const servers = ['legacy', 'modern'] as const;
let upstreams: Record<(typeof servers)[number], EverythingUpstream | DualUpstream>;
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
  const [legacy, modern] = [await startEverything(added), await startDual('modern', added)];
  upstreams = { legacy, modern };
  sekisho = await startGateway({
    servers: { legacy: anOpenServer(legacy.url), modern: anOpenServer(modern.url) },
  });
});

afterAll(async () => {
  await sekisho?.close();
  for (const server of servers) await upstreams?.[server].close();
});

beforeEach(() => {
  work = { reached: [], finish: () => undefined };
  for (const server of servers) upstreams[server].calls.clear();
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
async function call(era: string, name: string, part: 'whole' | 'half' = 'whole'): Promise<Leaver> {
  const made = await eras[era]?.();
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

describe.each(servers.flatMap((server) => ['legacy', 'modern'].map((era) => ({ era, server }))))(
  'a $era client of a $server server that leaves',
  ({ era, server }) => {
    const [silent, telling] = [`${server}__silent`, `${server}__telling`];

    test('before its message is whole has asked for nothing', async () => {
      const client = await call(era, silent, 'half');
      await sleep(100);
      client.leave();
      await sleep(100);
      expect(upstreams[server].calls.size).toBe(0);
      const after = await call(era, silent);
      await vi.waitFor(() => expect(work.reached).toEqual(['called']));
      work.finish();
      await vi.waitFor(() => expect(after.text()).toContain('done'));
      after.leave();
    });

    test.each([
      ['before its server said anything', silent, ''],
      ['in the middle of the answer’s stream', telling, 'began'],
    ])(`%s ${era === 'legacy' ? 'leaves the call to go on' : 'cancels the call'}`, async (_, name, seen) => {
      const tool = name.slice(`${server}__`.length);
      const client = await call(era, name);
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
      expect(upstreams[server].calls.get(tool)).toBe(1);
    });

    test('after its answer has left nothing to be cancelled', async () => {
      const client = await call(era, silent);
      await vi.waitFor(() => expect(work.reached).toEqual(['called']));
      work.finish();
      await vi.waitFor(() => expect(client.text()).toContain('done'));
      client.leave();
      await sleep(50);
      expect(work.reached).toEqual(['called', 'finished']);
      expect(await lastLine()).toMatchObject({ tool: 'silent', outcome: 'ok', left: false });
    });
  },
);

test.each(servers)(
  'a legacy client that leaves after a %s server asked something may still answer it',
  async (server) => {
    const session = await openSession(sekisho, { capabilities: { elicitation: {} } });
    const stop = new AbortController();
    const params = { name: `${server}__test_elicitation`, arguments: { message: 'who?' } };
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
  },
);

/** A session with the server is opened for the call first: nothing of it is sent before. */
describe.each(['legacy', 'modern'])('a %s client that leaves while its server opens a session', (era) => {
  test(era === 'legacy' ? 'leaves the call to be made' : 'has its call sent to nobody', async () => {
    const held: (() => void)[] = [];
    let looked = false;
    const server = await startHostileUpstream({
      initialize({ response, message }) {
        const agree = () => answerInitialize(response, message, 'a-session', { tools: {} });
        if (looked) held.push(agree);
        else agree();
      },
      'tools/list': result({ tools: [{ name: 'one', inputSchema: { type: 'object' } }] }),
      'tools/call': result({ content: [{ type: 'text', text: 'done' }] }),
    });
    onTestFinished(() => server.close());
    const before = sekisho;
    sekisho = await startGateway({ servers: { up: anOpenServer(server.url) } });
    const mine = sekisho;
    onTestFinished(async () => {
      await mine.close();
      sekisho = before;
    });
    looked = true;
    const client = await call(era, 'up__one');
    await vi.waitFor(() => expect(held).toHaveLength(1));
    client.leave();
    await sleep(200);
    for (const agree of held) agree();
    const outcome = era === 'legacy' ? 'ok' : 'cancelled';
    await vi.waitFor(async () => expect(await lastLine()).toMatchObject({ tool: 'one', outcome, left: true }));
    await sleep(100);
    expect(server.count('tools/call')).toBe(era === 'legacy' ? 1 : 0);
  });
});
