import { describe, expect, test } from 'vitest';
import type { Answered } from '#gateway/core/call.ts';
import { decide } from '#gateway/core/decision.ts';
import { type AskReply, nobodyToAsk, resultOf } from '#gateway/core/exchange.ts';
import { createRates } from '#gateway/core/rates.ts';
import { untainted } from '#gateway/core/taint.ts';
import { asked } from '#gateway/phases/questions.ts';
import { aCall, anIdentity, aPolicy, digests } from '#test/support/values.ts';

const nothing = { used: 0, limit: null };
const ports = {
  hashing: { sha256: digests.sha256 },
  budgets: { spending: () => ({ calls: nothing, bytes: nothing }) } as never,
  runBudget: { calls: null, bytes: null },
  rates: createRates(),
  taints: { of: () => untainted, add: () => true },
  halting: { halt: () => undefined } as never,
  logsDecisions: false,
};

const seen = (input: object): unknown => (input as { input_responses: unknown }).input_responses;
const silent = aPolicy((input) => {
  const deny = seen(input) === null ? [] : [{ code: 'NOTHING_SAID', message: 'No answers.' }];
  return { grant: [{ id: 'g' }], deny };
});

/** What the server is told when its question is answered with this. */
function replied(given: AskReply, policy = silent): AskReply[] {
  const call = aCall({}, undefined, policy);
  const permit = decide({ grant: [{ id: 'g' }] });
  const answered = Object.assign(call, {
    ...{ identity: anIdentity(), target: call.view.tools.get('files__read_file'), args: {}, argsBytes: 0 },
    ...{ facts: { paths: [], urls: null, commands: null }, decision: permit, permit, answer: resultOf({}) },
  }) as unknown as Answered;
  const replies: AskReply[] = [];
  const reply = (one: AskReply): void => void replies.push(one);
  asked(answered, ports, { kind: 'ask', method: 'roots/list', params: {}, reply }).reply(given);
  return replies;
}

describe('what is answered to a server', () => {
  test.each<[string, AskReply]>([
    ['a result', { result: { roots: [] } }],
    ['an error', { error: { code: -1, message: 'no' } }],
    [
      'an error that reads like the gateway’s own',
      { error: { code: -32601, message: 'This client cannot be asked.' } },
    ],
  ])('by a caller is judged: %s', (_, given) => {
    expect(replied(given)).toMatchObject([{ refusal: { refused: 'policy_denied' } }]);
  });

  test('is passed on where the policy has nothing against it', () => {
    const given = { result: { roots: [] } };
    expect(
      replied(
        given,
        aPolicy(() => ({ grant: [{ id: 'g' }] })),
      ),
    ).toEqual([given]);
  });

  test('by the gateway itself, where there is nobody to ask, is not', () => {
    expect(replied(nobodyToAsk)).toEqual([nobodyToAsk]);
  });

  test('is not passed on where the policy breaks, and the call ends', () => {
    const broken = aPolicy(() => {
      throw new Error('a fault of the engine');
    });
    expect(replied({ result: {} }, broken)).toMatchObject([{ refusal: { refused: 'policy_unavailable' } }]);
  });
});
