import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { batchAtMost } from '#gateway/core/batch.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { heard, type LegacySession, openSession, reasonOf, refusalIn } from '#test/support/messages.ts';
import { readSse } from '#test/support/sse-reader.ts';

/** Batches of 2025-03-26: several messages in one request, each a call of its own. */

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let session: LegacySession;

beforeAll(async () => {
  upstream = await startEverything();
  const tools = { '*': { action: 'read' }, echo: { action: 'read' } };
  sekisho = await startGateway({
    servers: { up: { tier: 'internal', url: upstream.url, tools } },
    budgets: { run: { calls: 40 } },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  upstream.calls.clear();
  session = await openSession(sekisho, { revision: '2025-03-26', capabilities: { elicitation: {} } });
});

const call = (id: number, name: string, args: object = {}) => ({
  ...{ jsonrpc: '2.0', id, method: 'tools/call' },
  params: { name, arguments: args },
});
const send = async (batch: unknown[], headers = {}) =>
  heard(await sekisho.post(batch, { ...session.headers, ...headers }));

describe('a session of 2025-03-26', () => {
  test('is what is agreed when it is asked for', () => {
    expect(session.agreed.answer.result).toMatchObject({ protocolVersion: '2025-03-26' });
  });

  test('has every message of a batch answered, under its own id, each as it would be alone', async () => {
    const { status, messages } = await send([
      call(1, 'up__echo', { message: 'one' }),
      call(2, 'up__nothing'),
      { jsonrpc: '2.0', id: 3, method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 4, method: 'tools/explode' },
    ]);
    expect(status).toBe(200);
    const byId = Object.fromEntries(messages.map((message) => [String(message.id), message]));
    expect(Object.keys(byId)).toEqual(['1', '2', '3', '4']);
    expect(byId['1']?.result?.content).toEqual([{ type: 'text', text: 'one' }]);
    expect(byId['2']?.error?.code).toBe(-32602);
    expect(byId['3']?.result).toEqual({});
    expect(byId['4']?.error?.code).toBe(-32601);
  });

  test('has every call of a batch recorded once, with its own reason', async () => {
    const before = (await sekisho.audit()).length;
    await send([
      call(1, 'up__echo', { message: 'one' }),
      call(2, 'up__nothing'),
      call(3, 'up__echo', { message: 'x' }),
    ]);
    const lines = (await sekisho.audit()).slice(before);
    expect(lines.map(({ outcome, reason, tool }) => [tool, outcome, reason]).sort()).toEqual([
      [null, 'invalid', 'tool_unknown'],
      ['echo', 'ok', null],
      ['echo', 'ok', null],
    ]);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(3);
  });

  test('pays for every call of a batch, and the one that the budget cannot pay is refused alone', async () => {
    const batch = Array.from({ length: 25 }, (_, id) => call(id, 'up__echo', { message: 'x' }));
    await send(batch);
    const { messages } = await send(batch);
    const spent = messages.filter(({ result }) => refusalIn(result)?.reason === 'budget_spent');
    expect([messages.length, spent.length, upstream.calls.get('echo')]).toEqual([25, 10, 40]);
  });

  test('is not kept waiting for the slowest: answers leave as they come', async () => {
    const response = await sekisho.post([call(1, 'up__wait', { ms: 1_000 }), call(2, 'up__echo', { message: 'x' })], {
      ...session.headers,
    });
    const sse = readSse(response);
    await sse.ended;
    expect(sse.messages.map(({ id }) => id)).toEqual([2, 1]);
  });

  test('can be asked in the middle of a batch, and its replies may come in one', async () => {
    const response = await sekisho.post([call(1, 'up__test_elicitation', { message: 'who?' })], session.headers);
    const sse = readSse(response);
    const question = await sse.next('elicitation/create');
    const content = { username: 'ann', email: 'a@example.com' };
    const reply = { jsonrpc: '2.0', id: question.id, result: { action: 'accept', content } };
    const answered = await sekisho.post([reply], session.headers);
    expect([answered.status, await answered.text()]).toEqual([202, '']);
    await sse.ended;
    expect(JSON.stringify(sse.messages.at(-1))).toContain('ann');
  });

  test.each<[string, unknown[]]>([
    ['nothing', []],
    ['too many messages', Array.from({ length: batchAtMost + 1 }, (_, id) => call(id, 'up__echo'))],
    ['initialize', [call(1, 'up__echo'), { jsonrpc: '2.0', id: 2, method: 'initialize', params: {} }]],
    ['the same id twice', [call(1, 'up__echo'), call(1, 'up__echo')]],
    ['something malformed', [call(1, 'up__echo'), { id: 2 }]],
  ])('is refused a batch with %s whole: nothing of it happens', async (_, batch) => {
    const before = (await sekisho.audit()).length;
    const answer = await send(batch);
    expect([answer.status, answer.answer.error?.code]).toEqual([400, -32600]);
    expect((await sekisho.audit()).slice(before)).toMatchObject([{ reason: 'message_malformed' }]);
    expect(upstream.calls.size).toBe(0);
  });
});

describe('a batch', () => {
  test.each(['2025-06-18', '2025-11-25'])('in a session of %s is refused', async (revision) => {
    session = await openSession(sekisho, { revision });
    const answer = await send([call(1, 'up__echo')]);
    expect([answer.status, answer.answer.error?.code]).toEqual([400, -32600]);
    expect(upstream.calls.size).toBe(0);
  });

  test('of who has no token, or another run’s session, is refused as one', async () => {
    const batch = [call(1, 'up__echo'), call(2, 'up__echo')];
    const { authorization: _, ...anonymous } = session.headers as Record<string, string>;
    expect((await sekisho.post(batch, anonymous)).status).toBe(401);
    const thief = await send(batch, { authorization: `Bearer ${await sekisho.token()}` });
    expect([thief.status, reasonOf(thief)]).toEqual([404, 'session_unknown']);
    expect(upstream.calls.size).toBe(0);
  });

  test('outside of a session is refused', async () => {
    const authorization = `Bearer ${session.token}`;
    expect((await sekisho.post([call(1, 'up__echo')], { authorization })).status).toBe(400);
  });
});
