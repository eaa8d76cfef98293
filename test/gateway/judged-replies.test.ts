import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  accept,
  answerInitialize,
  beginEvents,
  type HostileUpstream,
  result,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { type LegacySession, type Message, openSession, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';
import { readSse } from '#test/support/sse-reader.ts';
import { until } from '#test/support/until.ts';

/** What a caller of the older era answers on the stream of its call is judged as what others come back with is. */

const policy = `package sekisho

decision := {"grant": [{"id": "all"}], "deny": deny, "approve": approve, "warn": [], "obligations": obligations}

deny contains {"code": "PASSWORD", "message": "It holds a password."} if says("hunter2")

approve contains {"code": "ASK_FIRST", "message": "A person has to see this."} if says("salary")

approve contains {"code": "RISKY", "message": "It is risky."} if input.tool.name == "risky"

obligations contains {"id": "o1", "type": "redact", "properties": {"on": "arguments", "kinds": ["aws_key"]}} if {
	input.input_responses != null
}

obligations contains {"id": "o2", "type": "patch_arguments", "properties": {"ops": [{"op": "add", "path": "/x", "value": 1}]}} if {
	says("patch me")
}

obligations contains {"id": "o3", "type": "redact", "properties": {"on": "result", "kinds": ["aws_key"]}} if {
	says("hide it")
}

obligations contains {"id": "o4", "type": "halt_run", "properties": {"reason": "enough"}} if says("stop me")

obligations contains {"id": "o5", "type": "taint", "properties": {"add": ["caller"]}} if says("remember me")

deny contains {"code": "REMEMBERED", "message": "It was told."} if "caller" in input.run.taint

says(word) if {
	some answer in input.input_responses
	contains(json.marshal(answer), word)
}
`;

const key = `AKIA${'ABCDEFGHIJKLMNOP'}`;
let scratch: ScratchFolder;
let older: HostileUpstream;
let newer: DualUpstream;
let sekisho: TestGateway;
let session: LegacySession;

beforeAll(async () => {
  const asked: ((reply: JsonObject) => void)[] = [];
  [scratch, newer, older] = await Promise.all([
    scratchFolder(),
    startDual('modern'),
    startHostileUpstream({
      'server/discover': ({ response }) => response.writeHead(404).end(),
      initialize: ({ response, message }) => answerInitialize(response, message, 's', { tools: {} }),
      'tools/list': result({ tools: ['create', 'risky'].map((name) => ({ name, inputSchema: { type: 'object' } })) }),
      'tools/call': ({ response, message }) => {
        const write = beginEvents(response);
        write({ jsonrpc: '2.0', id: `q-${message.id}`, method: 'elicitation/create', params: { message: 'Sure?' } });
        asked.push((reply) => {
          const text = `heard ${JSON.stringify(reply.result ?? reply.error)} and ${key}`;
          write({ jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text }] } });
        });
      },
      reply: ({ response, message }) => {
        accept(response);
        asked.pop()?.(message);
      },
    }),
  ]);
  await scratch.write('policies/a.rego', policy);
  sekisho = await startGateway({
    servers: { old: anOpenServer(older.url), up: anOpenServer(newer.url) },
    policy: { path: scratch.at('policies') },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await Promise.all([newer?.close(), older?.close()]);
  await scratch?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  session = await openSession(sekisho, { capabilities: { elicitation: {} } });
  older.heard.length = 0;
});

/** Calls, and answers each question with this; the end of the call, as its caller reads it. */
async function answered(name: string, reply: object): Promise<{ readonly answer: Message }> {
  const call = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name, arguments: {} } };
  const stream = readSse(await sekisho.post(call, session.headers));
  const { id } = await stream.next('elicitation/create');
  expect((await session.tell({ id, ...reply })).status).toBe(202);
  await stream.ended;
  return { answer: stream.messages.find((message) => message.id === 9) ?? {} };
}
const saying = (text: string) => ({ result: { action: 'accept', content: { text } } });
const replies = () => older.heard.filter(({ verb, message }) => verb === 'POST' && message.method === undefined);
const cancelled = () => until(() => older.methods().includes('notifications/cancelled'));

describe('an answer on the stream of a call', () => {
  test('reaches the server when the policy has nothing against it', async () => {
    expect(textOf(await answered('old__create', saying('fine')))).toContain('"fine"');
    expect(replies()).toHaveLength(1);
  });

  test.each([
    ['an answer', saying('hunter2')],
    ['the words of an error', { error: { code: -1, message: 'hunter2' } }],
    ['the data of an error', { error: { code: -1, message: 'no', data: { why: 'hunter2' } } }],
  ])('ends the call when the policy denies it: %s is not sent, and the call is cancelled', async (_, reply) => {
    const ended = await answered('old__create', reply);
    expect(reasonOf(ended)).toBe('policy_denied');
    expect(refusalIn(ended.answer.result)).toMatchObject({ codes: ['PASSWORD'] });
    await cancelled();
    expect(JSON.stringify(older.heard.map(({ message }) => message))).not.toContain('hunter2');
    expect((await sekisho.audit()).at(-1)).toMatchObject({ outcome: 'denied' });
  });

  test('to a newer server is judged before it is sent in another request', async () => {
    const ended = await answered('up__test_input_required_result_request_state', saying('hunter2'));
    expect(reasonOf(ended)).toBe('policy_denied');
    expect(JSON.stringify(newer.came)).not.toContain('hunter2');
  });

  test('that a person would have to agree to is not sent: nobody can wait for that here', async () => {
    const ended = await answered('old__create', saying('salary'));
    expect(reasonOf(ended)).toBe('policy_denied');
    expect(refusalIn(ended.answer.result)).toMatchObject({ codes: ['ASK_FIRST'] });
    expect(replies()).toEqual([]);
  });

  test('to a call that was agreed to goes on with that, and only with what it was agreed to for', async () => {
    const approve = async () => {
      const pending = await session.call('old__risky');
      const id = String(refusalIn(pending.answer.result)?.approval);
      sekisho.gateway.store.approvals.decide(id, { state: 'approved', by: 'grace', why: null }, Date.now());
    };
    await approve();
    expect(textOf(await answered('old__risky', saying('fine')))).toContain('"fine"');
    await approve();
    const ended = await answered('old__risky', saying('salary'));
    expect(refusalIn(ended.answer.result)).toMatchObject({ reason: 'policy_denied', codes: ['ASK_FIRST', 'RISKY'] });
  });

  test.each([
    ['holds what must not be sent', key],
    ['would change the arguments, which were sent', 'patch me'],
  ])('is withheld with the call when it %s', async (_, text) => {
    expect(reasonOf(await answered('old__create', saying(text)))).toBe('policy_unavailable');
    expect(replies()).toEqual([]);
  });

  test('holds what is still to come to what the policy says of it', async () => {
    expect(textOf(await answered('old__create', saying('fine')))).toContain(key);
    expect(textOf(await answered('old__create', saying('hide it')))).not.toContain(key);
  });

  test('is remembered of its run, where the policy says so', async () => {
    expect(textOf(await answered('old__create', saying('remember me')))).toContain('remember me');
    expect(reasonOf(await session.call('old__create'))).toBe('tool_unknown');
  });

  test('may end the run', async () => {
    expect(reasonOf(await answered('old__create', saying('stop me')))).toBe('run_revoked');
    expect(reasonOf(await session.call('old__create'))).toBe('run_revoked');
  });
});
