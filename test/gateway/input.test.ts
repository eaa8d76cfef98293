import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeSentinel } from '#gateway/core/header-mirrors.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { askModern, envelope, type Heard, openSession, reasonOf, textOf } from '#test/support/messages.ts';

/** A modern server that needs to be told something in the middle of a call, and a caller of its own era. */

let upstream: DualUpstream;
let sekisho: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await startDual('modern');
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  token = await sekisho.token();
  upstream.calls.clear();
});

const state = 'test_input_required_result_request_state';
const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const call = (name: string, more: object = {}, by = token, meta: object = envelope(capabilities)): Promise<Heard> =>
  askModern(sekisho, 'tools/call', { name: `up__${name}`, arguments: {}, ...more }, { token: by, meta });
const accepted = { confirm: { action: 'accept', content: { ok: true } } };
const stateOf = ({ answer }: Heard): string => String(answer.result?.requestState);

describe('a modern caller of a modern server that needs to be told something', () => {
  test('gets the questions as they are, and the state in our seal', async () => {
    const heard = await call(state);
    expect(heard).toMatchObject({ status: 200, answer: { result: { resultType: 'input_required' } } });
    expect(heard.answer.result?.inputRequests).toMatchObject({ confirm: { method: 'elicitation/create' } });
    const again = await call(state, { inputResponses: accepted, requestState: stateOf(heard) });
    expect(textOf(again)).toBe('state-ok');
    const sent = upstream.came.findLast(({ method }) => method === 'tools/call')?.params;
    expect(sent).toMatchObject({ inputResponses: accepted });
    expect(sent?.requestState).not.toBe(stateOf(heard));
  });

  test('goes on through several rounds, each with its own state', async () => {
    const name = 'test_input_required_result_multi_round';
    const first = await call(name);
    const step1 = { step1: { action: 'accept', content: { name: 'Ann' } } };
    const second = await call(name, { inputResponses: step1, requestState: stateOf(first) });
    expect(second.answer.result?.inputRequests).toHaveProperty('step2');
    const step2 = { step2: { action: 'accept', content: { color: 'blue' } } };
    expect(textOf(await call(name, { inputResponses: step2, requestState: stateOf(second) }))).toBe('Ann likes blue');
  });

  test('passes the whole pipeline again when it comes back, and each time is recorded', async () => {
    const before = (await sekisho.audit()).length;
    const heard = await call(state);
    await call(state, { inputResponses: accepted, requestState: stateOf(heard) });
    const lines = (await sekisho.audit()).slice(before);
    expect(lines.map(({ outcome, method }) => [method, outcome])).toEqual([
      ['tools/call', 'input_required'],
      ['tools/call', 'ok'],
    ]);
    expect(JSON.stringify(lines)).not.toContain(stateOf(heard));
  });

  test('is asked only for what it declared', async () => {
    const meta = envelope({ elicitation: {} });
    const { answer } = await call('test_input_required_result_capabilities', {}, token, meta);
    expect(Object.keys(answer.result?.inputRequests ?? {})).toEqual(['user_name']);
  });

  test('that declared nothing is told by the server which capability it lacks', async () => {
    const { answer } = await call('test_missing_capability', {}, token, envelope({}));
    expect(answer.error).toMatchObject({ code: -32021, data: { requiredCapabilities: { sampling: {} } } });
  });

  test('is asked in a prompt as well', async () => {
    const ask = (more: object = {}) =>
      askModern(
        sekisho,
        'prompts/get',
        { name: 'up__test_input_required_result_prompt', ...more },
        { token, meta: envelope(capabilities) },
      );
    const first = await ask();
    const inputResponses = { user_context: { action: 'accept', content: { context: 'tests' } } };
    const { answer } = await ask({ inputResponses, requestState: stateOf(first) });
    expect(JSON.stringify(answer.result?.messages)).toContain('tests');
  });
});

describe('a state', () => {
  test.each<[string, (given: string) => Promise<Heard>]>([
    ['of another run', async (given) => call(state, go(given), await sekisho.token())],
    ['of another tool', async (given) => call('test_input_required_result_tampered_state', go(given))],
    ['with other arguments', async (given) => call(state, { ...go(given), arguments: { x: 1 } })],
    ['that was changed', async (given) => call(state, go(`${given.slice(0, 40)}${given.slice(41)}`))],
    ['that is the server’s own, without our seal', async () => call(state, go(await serverState()))],
    ['that is no text', async () => call(state, { inputResponses: accepted, requestState: 7 })],
    ['with answers that are no object', async (given) => call(state, { ...go(given), inputResponses: [] })],
    ['with answers that are null', async (given) => call(state, { ...go(given), inputResponses: null })],
  ])('%s is refused before the server hears of it', async (_, use) => {
    const given = stateOf(await call(state));
    upstream.calls.clear();
    const refused = await use(given);
    expect(refused.answer.error?.code).toBe(-32602);
    expect(reasonOf(refused)).toBe('input_invalid');
    expect(upstream.calls.size).toBe(0);
  });

  test('is good again for who had it: the server decides what twice means', async () => {
    const given = stateOf(await call(state));
    for (const _ of [1, 2]) expect(textOf(await call(state, go(given)))).toBe('state-ok');
  });

  const go = (requestState: string) => ({ inputResponses: accepted, requestState });

  /** What the server gave the gateway: asked directly, as the gateway asks. */
  async function serverState(): Promise<string> {
    const params = { name: state, arguments: {}, _meta: envelope(capabilities) };
    const response = await fetch(upstream.url, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': state },
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    const { result } = (await response.json()) as { result: { requestState: string } };
    upstream.calls.clear();
    return result.requestState;
  }
});

test('a legacy caller that cannot be asked is refused in a sentence, and nothing hangs', async () => {
  const session = await openSession(sekisho, { capabilities: {} });
  const refused = await session.call(`up__${state}`);
  expect([refused.status, refused.answer.result]).toEqual([200, undefined]);
  // The server's own "no": it was told what this caller cannot do, and says which capability is missing.
  expect(refused.answer.error).toMatchObject({
    code: -32021,
    message: expect.stringContaining('elicitation'),
    data: { requiredCapabilities: { elicitation: {} } },
  });
});

test('arguments that headers mirror reach a server that checks them, in any alphabet', async () => {
  for (const region of ['eu', 'Größe', ' padded ', '']) {
    const headers = { 'mcp-param-region': encodeSentinel(region), 'mcp-param-level': '3' };
    const params = { name: 'up__test_x_mcp_header', arguments: { region, level: 3, note: 'x' } };
    const called = await askModern(sekisho, 'tools/call', params, { token, meta: envelope(capabilities), headers });
    expect(textOf(called)).toBe(`region=${region} level=3`);
  }
});
