import { describe, expect, test } from 'vitest';
import { createBox } from '#gateway/adapters/keys/box.ts';
import type { Reserved } from '#gateway/core/call.ts';
import { decide } from '#gateway/core/decision.ts';
import {
  type Answer,
  type Ending,
  type ExchangeEvent,
  type Given,
  metaKeys,
  resultOf,
} from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { createRates } from '#gateway/core/rates.ts';
import { refuse } from '#gateway/core/refusals.ts';
import { untainted } from '#gateway/core/taint.ts';
import { forward } from '#gateway/phases/forward.ts';
import { inspect } from '#gateway/phases/inspect.ts';
import type { UpstreamCall } from '#gateway/ports.ts';
import { aCall, anIdentity, digests } from '#test/support/values.ts';

function reserved(params: JsonObject, obligations: object[] = []): Reserved {
  const permit = decide({ grant: [{ id: 'g' }], obligations: obligations as never });
  if (permit.verdict !== 'allow') throw new Error('not allowed');
  const call = aCall({ params });
  const target = call.view.tools.get('files__read_file');
  if (!target) throw new Error('no target');
  return Object.assign(call, {
    identity: anIdentity(),
    target,
    args: { path: 'a' },
    argsBytes: 1,
    facts: { paths: [], urls: null, commands: null, branches: null },
    decision: permit,
    confirmed: true as const,
    permit,
    approval: null,
    reservation: { run: '1', reserved: { calls: 1, bytes: 0 } },
  });
}

const sealing = {
  box: createBox(Buffer.alloc(32, 7)),
  hashing: { sha256: digests.sha256 },
  taints: { add: () => true, of: () => untainted },
};

/** What is needed to judge what a caller answers; nobody is asked anything here. */
const judging = {
  rates: createRates(),
  budgets: {} as never,
  runBudget: { calls: null, bytes: null },
  halting: {} as never,
  logsDecisions: false,
};

async function sent(call: Reserved): Promise<UpstreamCall> {
  const seen: UpstreamCall[] = [];
  const send = (one: UpstreamCall): Promise<Answer> => {
    seen.push(one);
    return Promise.resolve(resultOf({ content: [] }));
  };
  await forward(call, { upstreams: { send }, ...sealing });
  if (!seen[0]) throw new Error('nothing was sent');
  return seen[0];
}

describe('forward', () => {
  test('sends the value that was judged under the name the server knows, and nothing else of the request', async () => {
    const call = reserved({ name: 'files__read_file', arguments: { path: 'other' }, extra: 'x' });
    expect((await sent(call)).params).toEqual({ name: 'read_file', arguments: { path: 'a' } });
  });

  test('keeps the _meta of others and drops what belongs to our hop', async () => {
    const _meta = {
      'com.example/key': 1,
      progressToken: 'p',
      ...Object.fromEntries(Object.values(metaKeys).map((key) => [key, { name: 'secret' }])),
      baggage: 'secret=1',
      traceparent: 'caller',
    };
    const call = reserved({ name: 'files__read_file', _meta });
    expect((await sent(call)).params._meta).toEqual({ 'com.example/key': 1, progressToken: 'p' });
  });

  test('hands on the trace context of the gateway, not the caller', async () => {
    const call = {
      ...reserved({ _meta: { traceparent: 'caller' } }),
      trace: { traceparent: 'ours', tracestate: 's=1' },
    };
    expect((await sent(call)).params._meta).toEqual({ traceparent: 'ours', tracestate: 's=1' });
  });

  test('narrows the cap of the server by what the policy obliges', async () => {
    const row = { id: 'o', type: 'max_answer_bytes', properties: { bytes: 10 } };
    expect((await sent(reserved({}))).answerBytes).toBe(1024);
    expect((await sent(reserved({}, [row]))).answerBytes).toBe(10);
  });

  test('says itself what the upstream was refused for, so that traces and metrics name the same phase', async () => {
    const refusal = refuse('upstream_timeout', 'No answer in 1 s.');
    const send = (): Promise<Answer> => Promise.resolve({ kind: 'refusal', refusal });
    expect(await forward(reserved({}), { upstreams: { send }, ...sealing })).toBe(refusal);
  });
});

describe('inspect', () => {
  const inspected = (answer: Given) =>
    inspect({ ...reserved({}), answer }, { ...sealing, ...judging, approvals: { hold: () => undefined } });

  test('lets a result through as it is', () => {
    const answer: Given = { kind: 'result', result: { content: [] }, source: '{"content":[]}' };
    expect(inspected(answer)).toMatchObject({ answer, inspected: true });
  });

  test('refuses a result that is none of its method', () => {
    expect(inspected(resultOf({ content: 'text' }))).toMatchObject({ refused: 'answer_invalid' });
  });

  test('drops messages from a stream that no call has, and checks its end', async () => {
    async function* events(): AsyncGenerator<ExchangeEvent | Ending> {
      yield { kind: 'notification', method: 'notifications/progress', params: {} };
      yield { kind: 'notification', method: 'notifications/evil', params: {} };
      yield resultOf({ content: 5 as never });
    }
    const out = inspected({ kind: 'stream', events: events() });
    const seen: string[] = [];
    if ('answer' in out && out.answer.kind === 'stream') {
      for await (const event of out.answer.events) seen.push(event.kind === 'notification' ? event.method : event.kind);
    }
    expect(seen).toEqual(['notifications/progress', 'refusal']);
  });
});
