import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { controlApi } from '#gateway/compose/control.ts';
import { filesServer, startGateway, type TestGateway } from '#test/support/gateway.ts';

let sekisho: TestGateway;
let workspace: string;

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  sekisho = await startGateway({ servers: { files: filesServer(workspace) } });
}, 120_000);

afterAll(async () => {
  await sekisho?.close();
  await rm(workspace, { recursive: true, force: true });
});

const decide = (tool: string, args: object, token?: string) =>
  controlApi(sekisho.gateway).decide({ tool, arguments: args as never, ...(token ? { token } : {}) });

describe('the decision API', () => {
  test.each([
    ['files__write_file', { path: 'a.txt', content: '' }, { verdict: 'allow', reason: null }],
    [
      'files__write_file',
      { path: '/etc/x' },
      { verdict: 'deny', reason: 'policy_denied', codes: ['PATH_OUTSIDE_ROOT'] },
    ],
    ['files__move_file', { source: 'a', destination: 'b' }, { verdict: 'ask', reason: 'approval_pending' }],
    ['files__write_file', { path: 7 }, { verdict: 'deny', reason: 'arguments_invalid' }],
    ['files__nothing', {}, { verdict: 'deny', reason: 'tool_unknown' }],
  ])('says of %s %j: %j', async (tool, args, said) => {
    expect(await decide(tool, args)).toMatchObject(said);
  });

  test('asks as whoever holds the token', async () => {
    const token = await sekisho.token({ tools: ['files.read_text_file'] });
    expect(await decide('files__write_file', { path: 'a.txt' }, token)).toMatchObject({ codes: ['CEILING'] });
    expect(await decide('files__write_file', { path: 'a.txt' }, 'none')).toMatchObject({ reason: 'token_invalid' });
  });

  test('writes no approval, spends no budget, sends nothing and records no call', async () => {
    const before = (await sekisho.audit()).length;
    const token = await sekisho.token({ run: 'decided' });
    await decide('files__move_file', { source: 'a', destination: 'b' }, token);
    await decide('files__write_file', { path: 'made.txt', content: '' }, token);
    expect(sekisho.gateway.store.approvals.list(null, Date.now())).toEqual([]);
    const unlimited = { calls: null, bytes: null };
    expect(sekisho.gateway.store.budgets.spending('decided', unlimited).calls.used).toBe(0);
    expect((await sekisho.audit()).length).toBe(before);
  });
});
