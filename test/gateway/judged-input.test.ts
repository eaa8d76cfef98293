import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { askModern, envelope, type Heard, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

/** What a caller sends back to a server that had asked is data on its way out: the policy sees it, as it sees arguments. */

const policy = `package sekisho

decision := {"grant": [{"id": "all"}], "deny": deny, "approve": [], "warn": [], "obligations": []}

deny contains {"code": "SECRET_IN_ANSWER", "message": "It holds a password."} if {
	some answer in input.input_responses
	contains(json.marshal(answer), "hunter2")
}

deny contains {"code": "NOT_A_RETRY", "message": "no"} if {
	input.phase == "call"
	input.tool.name == "echo"
	input.input_responses == null
}
`;

let scratch: ScratchFolder;
let upstream: DualUpstream;
let sekisho: TestGateway;
let token: string;

beforeAll(async () => {
  [scratch, upstream] = await Promise.all([scratchFolder(), startDual('modern')]);
  await scratch.write('policies/a.rego', policy);
  sekisho = await startGateway({
    servers: { up: anOpenServer(upstream.url) },
    policy: { path: scratch.at('policies') },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await scratch?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  token = await sekisho.token();
});

const state = 'test_input_required_result_request_state';
const call = (name: string, more: object = {}): Promise<Heard> => {
  const meta = envelope({ elicitation: {}, sampling: {}, roots: {} });
  return askModern(sekisho, 'tools/call', { name: `up__${name}`, arguments: {}, ...more }, { token, meta });
};
const answering = (text: string) => ({ confirm: { action: 'accept', content: { ok: true, text } } });

describe('what is sent back to a server', () => {
  test('is judged, and what the policy denies never reaches the server', async () => {
    const requestState = (await call(state)).answer.result?.requestState;
    upstream.calls.clear();
    const denied = await call(state, { inputResponses: answering('hunter2'), requestState });
    expect(reasonOf(denied)).toBe('policy_denied');
    expect(refusalIn(denied.answer.result)).toMatchObject({ codes: ['SECRET_IN_ANSWER'] });
    expect(upstream.calls.size).toBe(0);
    expect(textOf(await call(state, { inputResponses: answering('fine'), requestState }))).toBe('state-ok');
  });

  test('is null for a call that begins, and empty for one that only comes back', async () => {
    const begun = await call('echo', { arguments: { message: 'x' } });
    expect(refusalIn(begun.answer.result)).toMatchObject({ codes: ['NOT_A_RETRY'] });
    const back = await call('echo', { arguments: { message: 'x' }, inputResponses: {} });
    expect(reasonOf(back)).not.toBe('policy_denied');
  });

  test('may hold sixteen answers, and no more', async () => {
    const requestState = (await call(state)).answer.result?.requestState;
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, {}]));
    const retry = (count: number) =>
      call(state, { inputResponses: { ...answering('x'), ...many(count) }, requestState });
    expect(textOf(await retry(15))).toBe('state-ok');
    upstream.calls.clear();
    expect(reasonOf(await retry(16))).toBe('input_invalid');
    expect(upstream.calls.size).toBe(0);
  });
});
