import { describe, expect, test } from 'vitest';
import { createBox } from '#gateway/adapters/keys/box.ts';
import type { Reserved } from '#gateway/core/call.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { sealState } from '#gateway/core/request-state.ts';
import { openTask, readTask, sealTask } from '#gateway/core/tasks.ts';
import { aCall, anIdentity, digests } from '#test/support/values.ts';

const box = createBox(Buffer.alloc(32, 1));
const identity = anIdentity();
const call = (over: object = {}): Reserved => {
  const received = aCall();
  const target = received.view.tools.get('files__read_file');
  const rest = { identity, target, args: {}, approval: null, decision: { codes: ['RISKY'] } };
  return Object.assign(received, rest, over) as Reserved;
};
const { id: principal } = identity.principal;

describe('the id of a task', () => {
  test('says whose it is, where, and which tool began it, to nobody but the gateway', () => {
    const given = sealTask(box, call(), 'theirs');
    expect(openTask(box, principal, given)).toEqual({ server: 'files', tool: 'read_file', id: 'theirs', agreed: null });
    expect(Buffer.from(given, 'base64url').toString('latin1')).not.toMatch(/theirs|read_file/);
  });

  test('carries what its call was approved for', () => {
    const approval = { id: 'a1', by: 'grace', state: 'consumed', until: 1 };
    const given = sealTask(box, call({ approval }), 'theirs');
    expect(openTask(box, principal, given)?.agreed).toEqual({ id: 'a1', by: 'grace', codes: ['RISKY'] });
  });

  test.each<[string, () => unknown]>([
    [
      'somebody else’s',
      () => sealTask(box, call({ identity: anIdentity({ principal: { ...identity.principal, id: 'eve' } }) }), 'x'),
    ],
    ['of another key', () => sealTask(createBox(Buffer.alloc(32, 2)), call(), 'x')],
    [
      'the state of a server, with an id for its text',
      () => sealState(box, call(), digests.sha256, '{"task":{"id":"x"}}'),
    ],
    ['the server’s own', () => 'theirs'],
    ['no text', () => ({ id: 'theirs' })],
  ])('opens nothing when it is %s', (_, given) => {
    expect(openTask(box, principal, given())).toBeNull();
  });
});

describe('what a server says of a task', () => {
  const said: JsonObject = {
    ...{ taskId: 't', status: 'working', createdAt: 'now', lastUpdatedAt: 'now', ttlMs: null },
  };

  test('is read without what does not belong there', () => {
    const optional = { statusMessage: 'soon', pollIntervalMs: 5, _meta: { a: 1 } };
    expect(readTask({ ...said, ...optional, resultType: 'task', extra: 1 })).toEqual({ ...said, ...optional });
  });

  test.each<[string, unknown]>([
    ...[undefined, '', 7, 'x'.repeat(1025)].map((value): [string, unknown] => ['taskId', value]),
    ...[undefined, 'done', null].map((value): [string, unknown] => ['status', value]),
    ...[undefined, -1, 0.5, '5', Number.MAX_VALUE].map((value): [string, unknown] => ['ttlMs', value]),
    ...[null, -1, '5'].map((value): [string, unknown] => ['pollIntervalMs', value]),
    ['createdAt', undefined],
    ['lastUpdatedAt', 5],
    ['statusMessage', {}],
    ['_meta', []],
  ])('is none with the %s %j', (name, value) => {
    expect(readTask({ ...said, [name]: value } as JsonObject)).toBeNull();
  });
});
