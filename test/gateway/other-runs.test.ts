import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { leftBy } from '#test/support/left-by.ts';
import { askModern, envelope, heard, type LegacySession, openSession, reasonOf } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** A11: a good token of one run, and what belongs to another: it is as if that were not there. */

const asks = `package sekisho

decision := {"grant": [{"id": "all"}], "deny": [], "warn": [], "obligations": [], "approve": approve}

approve contains {"code": "RISKY", "message": "A person agrees first."} if input.tool.name == "risky"
`;

const risky: Tool = {
  description: 'Does what a person agreed to.',
  inputSchema: { type: 'object' },
  run: () => ({ content: [{ type: 'text', text: 'done' }] }),
};

let upstream: DualUpstream;
let sekisho: TestGateway;
let policies: Awaited<ReturnType<typeof scratchFolder>>;
let theirs: string;
let session: LegacySession;
let stranger: string;

beforeAll(async () => {
  upstream = await startDual('modern', { risky });
  policies = await scratchFolder({ 'asks.rego': asks });
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) }, policy: { path: policies.path } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await policies?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  [theirs, stranger] = [await sekisho.token(), await sekisho.token()];
  session = await openSession(sekisho, { token: theirs });
  upstream.calls.clear();
});

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** As a stranger, to a session by this name. */
const toSession = (method: string, id: string, more: Record<string, string> = {}): Promise<Response> =>
  fetch(`${sekisho.origin}/mcp`, {
    method,
    headers: { ...json, ...more, ...session.headers, authorization: `Bearer ${stranger}`, 'mcp-session-id': id },
    ...(method === 'POST'
      ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up__risky' } }) }
      : {}),
  });

/** An answer without what is different each time: the number of the call, and when it was. */
async function told(response: Response): Promise<unknown> {
  const headers = [...response.headers].filter(([name]) => name !== 'date');
  const body = (await response.text()).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id');
  return { status: response.status, headers, body };
}

describe('a session of another run', () => {
  test.each<[string, string, Record<string, string>]>([
    ['a call', 'POST', {}],
    ['a stream', 'GET', {}],
    ['a stream from an event on', 'GET', { 'last-event-id': 'AAAAAAAAAAAA.1' }],
    ['its end', 'DELETE', {}],
  ])('answers %s with 404, as one does that never was', async (_, method, more) => {
    const { got, lines, leaks } = await leftBy(sekisho, () => toSession(method, session.id, more), [stranger, theirs]);
    expect([got.status, lines.map(({ reason }) => reason)]).toEqual([404, ['session_unknown']]);
    expect([upstream.calls.size, leaks]).toEqual([0, []]);
    const made = `${session.id.slice(0, -4)}AAAA`;
    expect(await told(got)).toEqual(await told(await toSession(method, made, more)));
    expect((await session.ask('ping')).status).toBe(200);
  });
});

describe('a question that another run was asked', () => {
  const name = 'up__test_input_required_result_request_state';
  const accepted = { confirm: { action: 'accept', content: { ok: true } } };
  const call = (token: string, more: object = {}) =>
    askModern(sekisho, 'tools/call', { name, arguments: {}, ...more }, { token, meta: envelope({ elicitation: {} }) });

  test('is not answered by a stranger: its state is as good as a made-up one', async () => {
    const asked = await call(theirs);
    const requestState = String(asked.answer.result?.requestState);
    upstream.calls.clear();
    const send = (state: string) => call(stranger, { inputResponses: accepted, requestState: state });
    const { got, lines, leaks } = await leftBy(sekisho, () => send(requestState), [stranger, requestState]);
    expect([reasonOf(got), lines.map(({ reason }) => reason)]).toEqual(['input_invalid', ['input_invalid']]);
    expect([upstream.calls.size, leaks]).toEqual([0, []]);
    const made = await send(`${requestState.slice(0, -4)}AAAA`);
    expect(got.answer.error?.message).toBe(made.answer.error?.message);
  });
});

describe('an approval that another run was given', () => {
  test('lets no call of a stranger pass: it waits for an approval of its own', async () => {
    const call = async (token: string) =>
      askModern(sekisho, 'tools/call', { name: 'up__risky', arguments: {} }, { token });
    expect(reasonOf(await call(theirs))).toBe('approval_pending');
    const [waiting] = sekisho.gateway.store.approvals.list('pending', Date.now());
    const decided = { state: 'approved', by: 'ada', why: null } as const;
    sekisho.gateway.store.approvals.decide(waiting?.id ?? '', decided, Date.now());
    const { got, lines, leaks } = await leftBy(sekisho, () => call(stranger), [stranger]);
    expect([reasonOf(got), lines.map(({ reason }) => reason)]).toEqual(['approval_pending', ['approval_pending']]);
    expect([upstream.calls.size, leaks]).toEqual([0, []]);
    expect(JSON.stringify(got.answer)).not.toContain(waiting?.id);
    expect(reasonOf(await call(theirs))).toBeNull();
  });
});

test('a subscription of another run cannot be ended or heard by a stranger who names it', async () => {
  const params = { notifications: { toolsListChanged: true }, _meta: envelope() };
  const listen = { jsonrpc: '2.0', id: 'mine', method: 'subscriptions/listen', params };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
  const leaving = new AbortController();
  const opened = await fetch(`${sekisho.origin}/mcp`, {
    ...{ method: 'POST', body: JSON.stringify(listen), signal: leaving.signal },
    headers: { ...json, ...headers, authorization: `Bearer ${theirs}` },
  });
  expect(opened.status).toBe(200);
  const cancel = {
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId: 'mine', _meta: envelope() },
  };
  const sent = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'notifications/cancelled' };
  const answer = await heard(await sekisho.post(cancel, { ...sent, authorization: `Bearer ${stranger}` }));
  expect(answer.status).toBeLessThan(500);
  expect(/sekisho_streams_open (\d+)/.exec(await sekisho.metrics())?.[1]).toBe('1');
  leaving.abort();
});
