import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { type LegacySession, openSession, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';

const repository = resolve(import.meta.dirname, '..', '..');

let sekisho: TestGateway;
let folder: string;
let workspace: string;
let session: LegacySession;

const start = (): Promise<TestGateway> =>
  startGateway({ state: join(folder, 'state'), servers: { files: filesServer(workspace) } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-approvals-'));
  workspace = join(folder, 'workspace');
  sekisho = await start();
});

afterAll(async () => {
  await sekisho?.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  for (const name of await readdir(workspace)) await rm(join(workspace, name));
  session = await openSession(sekisho);
});

let files = 0;

/** Makes a file and the arguments of the call that would move it. */
async function aMove(): Promise<{ source: string; destination: string }> {
  const source = `from-${++files}.txt`;
  await writeFile(join(workspace, source), source);
  return { source, destination: `to-${files}.txt` };
}

const move = (args: object, by = session) => by.call('files__move_file', args);

async function askToMove(args: object): Promise<string> {
  const asked = await move(args);
  expect(reasonOf(asked)).toBe('approval_pending');
  return String(refusalIn(asked.answer.result)?.approval);
}

const decide = (id: string, state: 'approved' | 'declined', why: string | null = null) =>
  sekisho.gateway.store.approvals.decide(id, { state, by: 'service:reviewer', why }, Date.now());

describe('a risky call', () => {
  test('asks: it says which approval waits and how to approve it, and nothing is done', async () => {
    const args = await aMove();
    const asked = await move(args);
    expect(asked.answer.result?.isError).toBe(true);
    expect(refusalIn(asked.answer.result)).toMatchObject({
      ...{ reason: 'approval_pending', retry: 'approve', approval: expect.stringMatching(/^ap_\w{26}$/) },
    });
    const id = String(refusalIn(asked.answer.result)?.approval);
    expect(textOf(asked)).toContain(`sekisho approvals approve ${id}`);
    expect(await readdir(workspace)).toEqual([args.source]);
    const line = (await sekisho.audit()).at(-1);
    expect(line).toMatchObject({
      ...{ reason: 'approval_pending', upstream_ms: null, server: 'files', tool: 'move_file' },
      approval: { id, state: 'pending' },
    });
  });

  test('asked about again while it waits, it names the same approval', async () => {
    const args = await aMove();
    expect(await askToMove(args)).toBe(await askToMove(args));
  });

  test('approved, passes once and only once: the next one is asked about anew', async () => {
    const args = await aMove();
    const id = await askToMove(args);
    expect(decide(id, 'approved')).toBe('decided');
    const before = await sekisho.metrics();
    const passed = await move(args);
    expect(passed.answer.result?.isError).toBeFalsy();
    expect(await readdir(workspace)).toEqual([args.destination]);
    expect((await sekisho.audit()).at(-1)).toMatchObject({
      ...{ outcome: 'ok', approval: { id, state: 'consumed', by: 'service:reviewer' }, decision: { verdict: 'ask' } },
    });
    const count = async () => total(await sekisho.metrics(), 'sekisho_tool_calls_total', { server: 'files' });
    expect(await count()).toBe(total(before, 'sekisho_tool_calls_total', { server: 'files' }) + 1);
    await writeFile(join(workspace, args.source), 'again');
    await rm(join(workspace, args.destination));
    expect(await askToMove(args)).not.toBe(id);
    expect(await readdir(workspace)).toEqual([args.source]);
  });

  test('approved, covers neither other arguments nor another run', async () => {
    const args = await aMove();
    expect(decide(await askToMove(args), 'approved')).toBe('decided');
    expect(reasonOf(await move({ ...args, destination: 'elsewhere.txt' }))).toBe('approval_pending');
    expect(reasonOf(await move(args, await openSession(sekisho)))).toBe('approval_pending');
    expect(await readdir(workspace)).toEqual([args.source]);
    expect(reasonOf(await move(args))).toBeNull();
  });

  test('declined, is refused with what the person said', async () => {
    const args = await aMove();
    expect(decide(await askToMove(args), 'declined', 'not on a Friday')).toBe('decided');
    const refused = await move(args);
    expect(reasonOf(refused)).toBe('approval_declined');
    expect(textOf(refused)).toContain('not on a Friday');
    expect(await readdir(workspace)).toEqual([args.source]);
  });

  test('approved and repeated by many at once, passes exactly once', async () => {
    const args = await aMove();
    decide(await askToMove(args), 'approved');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => session.call('files__move_file', args, i)));
    const reasons = answers.map(reasonOf);
    expect(reasons.filter((reason) => reason === null)).toHaveLength(1);
    expect(reasons.filter((reason) => reason === 'approval_pending')).toHaveLength(19);
  });

  test('approved before a restart, passes once after it', async () => {
    const args = await aMove();
    const run = 'outlives-the-gateway';
    session = await openSession(sekisho, { token: await sekisho.token({ run }) });
    decide(await askToMove(args), 'approved');
    await sekisho.close();
    sekisho = await start();
    session = await openSession(sekisho, { token: await sekisho.token({ run }) });
    expect(reasonOf(await move(args))).toBeNull();
    expect(await readdir(workspace)).toEqual([args.destination]);
    expect(reasonOf(await move(args))).toBe('approval_pending');
  });

  test('whose approval was not used in time is told so, and then asks again', async () => {
    // Without the tests of the shipped pack: its rules are not the ones that are in force here.
    const filter = (path: string): boolean => !path.endsWith('_test.rego');
    await cp(join(repository, 'policies'), join(folder, 'hasty'), { recursive: true, filter });
    await writeFile(join(folder, 'hasty', 'sekisho', 'hasty.rego'), hasty);
    const hurried = await startGateway({
      policy: { path: join(folder, 'hasty') },
      servers: { files: { ...filesServer(workspace), tools: { move_file: { action: 'write', risk: 'low' } } } },
    });
    try {
      const one = await openSession(hurried);
      const args = await aMove();
      const asked = await move(args, one);
      expect(reasonOf(asked)).toBe('approval_pending');
      const id = String(refusalIn(asked.answer.result)?.approval);
      hurried.gateway.store.approvals.decide(id, { state: 'approved', by: 'x', why: null }, Date.now());
      await sleep(Number(refusalIn(asked.answer.result)?.expires) - Date.now() + 20);
      expect(reasonOf(await move(args, one))).toBe('approval_expired');
      const again = await move(args, one);
      expect(reasonOf(again)).toBe('approval_pending');
      expect(refusalIn(again.answer.result)?.approval).not.toBe(id);
      expect(await readdir(workspace)).toEqual([args.source]);
    } finally {
      await hurried.close();
    }
  });
});

const hasty = `package sekisho

approve contains {"code": "HASTY", "message": "Be quick.", "ttl_s": 1} if {
	input.phase == "call"
}
`;
