import { describe, expect, test } from 'vitest';
import { createBox } from '#gateway/adapters/keys/box.ts';
import type { Reserved } from '#gateway/core/call.ts';
import { type Box, openState, sealState } from '#gateway/core/request-state.ts';
import { aCall, anIdentity, digests } from '#test/support/values.ts';

const box = createBox(Buffer.alloc(32, 1));
const call = (over: object = {}): Reserved => {
  const received = aCall();
  const target = received.view.tools.get('files__read_file');
  return Object.assign(received, {
    identity: anIdentity(),
    target,
    args: { path: 'a', n: 1 },
    approval: null,
    ...over,
  }) as Reserved;
};
const open = (given: string, over: object = {}, by: Box = box) => openState(by, call(over), digests.sha256, given);
const sealed = (state = 'state') => sealState(box, call(), digests.sha256, state);

describe('a server’s state in our seal', () => {
  test.each(['state', '', '{"a":"\\u00fc"}', 'ü\u0000\n"\\'])(
    'comes back exactly as the server gave it: %j',
    (state) => {
      expect(open(sealed(state))).toEqual({ state, approval: null });
    },
  );

  test('is not to be read by the caller', () => {
    const given = sealed('user=ann');
    expect(Buffer.from(given, 'base64url').toString('latin1')).not.toContain('ann');
    expect(sealed('user=ann')).not.toBe(given);
  });

  test('goes with the same arguments, however they are written', () => {
    expect(open(sealed(), { args: { n: 1, path: 'a' } })).toEqual({ state: 'state', approval: null });
  });

  test.each([
    ['another principal', { identity: anIdentity({ principal: { type: 'run', id: 'eve', groups: [], scopes: [] } }) }],
    ['another run', { identity: anIdentity({ run: { ...anIdentity().run, id: '2' } }) }],
    ['another method', { method: 'prompts/get' }],
    ['other arguments', { args: { path: 'b', n: 1 } }],
    ['another tool', { target: { ...call().target, name: 'write_file' } }],
    ['another server', { target: { ...call().target, server: { ...call().target.server, id: 'other' } } }],
  ])('is refused with %s', (_, over) => {
    expect(open(sealed(), over)).toMatchObject({ refused: 'input_invalid' });
  });

  test('takes the approval of its call along, with what was agreed to and for whom it is', () => {
    const approval = { id: 'ap_1', state: 'consumed', by: 'grace', until: 9 };
    const decided = call({ approval, decision: { verdict: 'ask', codes: ['MOVE'] } });
    const opened = open(sealState(box, decided, digests.sha256, null));
    expect(opened).toEqual({
      state: null,
      approval: {
        id: 'ap_1',
        by: 'grace',
        until: 9,
        codes: ['MOVE'],
        leg: 'c1',
        call: expect.stringMatching(/^sha256-/),
      },
    });
  });

  test('is refused after an hour', () => {
    const { at } = call();
    expect(open(sealed(), { at: at + 3_600_000 })).toEqual({ state: 'state', approval: null });
    expect(open(sealed(), { at: at + 3_600_001 })).toMatchObject({ refused: 'input_invalid' });
  });

  test('is refused when it was changed anywhere, cut, or never was ours', () => {
    const given = sealed();
    const changed = [...given].map((_, i) => given.slice(0, i) + (given[i] === 'A' ? 'B' : 'A') + given.slice(i + 1));
    // The last character holds bits that belong to no byte.
    for (const one of changed.slice(0, -1)) expect(open(one)).toMatchObject({ refused: 'input_invalid' });
    for (const one of ['', 'x', 'state', given.slice(1), given.slice(0, -4), `${given}=`, '=?base64?YQ==?=']) {
      expect(open(one)).toMatchObject({ refused: 'input_invalid' });
    }
    expect(open(given, {}, createBox(Buffer.alloc(32, 2)))).toMatchObject({ refused: 'input_invalid' });
  });

  test('is refused when it is something else that the same key sealed', () => {
    for (const text of ['null', '{}', '{"state":7}', '{"state":null}', 'not json', '{"state":"s","state":"t"}']) {
      expect(open(box.seal(text))).toMatchObject({ refused: 'input_invalid' });
    }
  });
});
