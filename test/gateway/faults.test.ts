import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { askModern, itemsOf, openSession, reasonOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let upstream: EverythingUpstream;
let policies: ScratchFolder;
let sekisho: TestGateway;

beforeEach(async () => {
  upstream = await startEverything();
  policies = await scratchFolder();
});

afterEach(async () => {
  await sekisho?.close();
  await upstream.close();
  await policies[Symbol.asyncDispose]();
});

async function start(policy?: string): Promise<void> {
  const servers = { up: anOpenServer(upstream.url) };
  if (policy === undefined) sekisho = await startGateway({ servers });
  else {
    await policies.write('one.rego', `package sekisho\n\n${policy}\n`);
    sekisho = await startGateway({ servers, policy: { path: policies.path } });
  }
}

const sets = '"deny": [], "approve": [], "warn": [], "obligations": []';

describe('a policy that', () => {
  test('gives a usable answer for lists and none for calls is unavailable: nothing passes', async () => {
    await start(`decision := {"grant": [{"id": "all"}], ${sets}} if input.phase == "list"`);
    const session = await openSession(sekisho);
    expect(itemsOf(await session.ask('tools/list'), 'tools').length).toBeGreaterThan(0);
    const refused = await session.call('up__echo', { message: 'x' });
    expect(reasonOf(refused)).toBe('policy_unavailable');
    expect(upstream.calls.size).toBe(0);
    expect((await sekisho.audit()).at(-1)).toMatchObject({
      reason: 'policy_unavailable',
      tool: 'echo',
      upstream_ms: null,
    });
  });

  test.each([
    ['a member nobody knows', `decision := {"grant": [{"id": "all"}], "allow": true, ${sets}}`],
    ['a word for a set', `decision := {"grant": "all", ${sets}}`],
    ['a grant without an id', `decision := {"grant": [{}], ${sets}}`],
    [
      'an obligation nobody can keep',
      `decision := {"grant": [{"id": "all"}], "deny": [], "approve": [], "warn": [], "obligations": [{"id": "x", "type": "pray", "properties": {}}]}`,
    ],
    ['a plain true', 'decision := true'],
    ['nothing', 'decision := {} if input.nothing'],
  ])('answers with %s lets nothing pass and nothing be seen', async (_, policy) => {
    await start(policy);
    const session = await openSession(sekisho);
    expect(itemsOf(await session.ask('tools/list'), 'tools')).toEqual([]);
    expect(reasonOf(await session.call('up__echo', { message: 'x' }))).toBe('tool_unknown');
    expect(upstream.calls.size).toBe(0);
    expect((await sekisho.audit()).at(-1)).toMatchObject({ reason: 'policy_unavailable', tool: 'echo' });
  });
});

describe('a fault', () => {
  test('lets nothing pass; its cause goes to the log and not to the caller', async () => {
    await start();
    const token = await sekisho.token();
    const session = await openSession(sekisho, { token });
    sekisho.gateway.store.close();
    const answer = await session.call('up__echo', { message: 'x' });
    expect([answer.status, reasonOf(answer)]).toEqual([500, 'fault']);
    expect(answer.answer.error).toMatchObject({ code: -32603, message: expect.stringContaining('in its log') });
    expect(JSON.stringify(answer.answer)).not.toMatch(/sqlite|database|state\.db|\.ts:/i);
    const modern = await askModern(sekisho, 'tools/call', { name: 'up__echo', arguments: {} }, { token });
    expect(reasonOf(modern)).toBe('fault');
    expect(upstream.calls.size).toBe(0);
    expect((await sekisho.audit()).slice(-2)).toMatchObject([{ reason: 'fault' }, { reason: 'fault' }]);
    expect(sekisho.log.filter(({ level, message }) => level === 'error' && message.includes('fault'))).toHaveLength(2);
    expect(total(await sekisho.metrics(), 'sekisho_inflight_requests')).toBe(0);
  });
});
