import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { type LegacySession, openSession, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let upstream: EverythingUpstream;
let folder: ScratchFolder;
let sekisho: TestGateway | null = null;

beforeEach(async () => {
  upstream = await startEverything();
  folder = await scratchFolder();
});

afterEach(async () => {
  await sekisho?.close();
  sekisho = null;
  await upstream.close();
  await folder[Symbol.asyncDispose]();
});

async function start(run: object, limits: object = {}): Promise<TestGateway> {
  const up = anOpenServer(upstream.url, { limits });
  sekisho = await startGateway({ state: join(folder.path, 'state'), servers: { up }, budgets: { run } });
  return sekisho;
}

const echo = (session: LegacySession, id: string | number = 1) => session.call('up__echo', { message: 'x' }, id);

const inRun = async (gateway: TestGateway, run: string, calls?: number): Promise<LegacySession> =>
  openSession(gateway, { token: await gateway.token(calls === undefined ? { run } : { run, calls }) });

describe('the budget of a run', () => {
  test('lets three calls pass where it holds three, and refuses the fourth with what was spent', async () => {
    const session = await inRun(await start({ calls: 3 }), 'a');
    for (let i = 0; i < 3; i++) expect(textOf(await echo(session))).toBe('x');
    const fourth = await echo(session);
    expect(refusalIn(fourth.answer.result)).toMatchObject({
      ...{ reason: 'budget_spent', budget: 'calls', used: 3, limit: 3 },
    });
    expect(textOf(fourth)).toContain('3 of its 3 calls');
    expect(upstream.calls.get('echo')).toBe(3);
    expect((await sekisho?.audit())?.at(-1)).toMatchObject({ reason: 'budget_spent', run: 'a', upstream_ms: null });
  });

  test('is the run’s own: another session of the run shares it, another run does not', async () => {
    const gateway = await start({ calls: 1 });
    expect(textOf(await echo(await inRun(gateway, 'a')))).toBe('x');
    expect(reasonOf(await echo(await inRun(gateway, 'a')))).toBe('budget_spent');
    expect(textOf(await echo(await inRun(gateway, 'b')))).toBe('x');
  });

  test('is spent by calls alone: lists, pings and refused calls cost nothing', async () => {
    const session = await inRun(await start({ calls: 1 }), 'a');
    for (let i = 0; i < 3; i++) await session.ask('tools/list');
    await session.ask('ping');
    expect(reasonOf(await session.call('up__nothing'))).toBe('tool_unknown');
    expect(textOf(await echo(session))).toBe('x');
  });

  test('with one call left lets exactly one of a hundred at once pass', async () => {
    const session = await inRun(await start({ calls: 1 }, { inflight: 200 }), 'a');
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => echo(session, i)));
    const reasons = answers.map(reasonOf);
    expect(reasons.filter((reason) => reason === null)).toHaveLength(1);
    expect(reasons.filter((reason) => reason === 'budget_spent')).toHaveLength(99);
    expect(upstream.calls.get('echo')).toBe(1);
  });

  test('is not filled again by a restart', async () => {
    const first = await start({ calls: 2 });
    const session = await inRun(first, 'a');
    await echo(session);
    await echo(session);
    await first.close();
    expect(reasonOf(await echo(await inRun(await start({ calls: 2 }), 'a')))).toBe('budget_spent');
  });

  test('is narrowed by the token and never widened', async () => {
    const gateway = await start({ calls: 2 });
    const narrow = await inRun(gateway, 'narrow', 1);
    await echo(narrow);
    expect(reasonOf(await echo(narrow))).toBe('budget_spent');
    const wide = await inRun(gateway, 'wide', 100);
    await echo(wide);
    await echo(wide);
    expect(reasonOf(await echo(wide))).toBe('budget_spent');
  });

  test('counts bytes, of calls and answers, and ends with them', async () => {
    const session = await inRun(await start({ calls: null, bytes: '64KiB' }), 'a');
    expect(textOf(await session.call('up__big', { bytes: 70_000 }))).toHaveLength(70_000);
    const next = await echo(session);
    expect(refusalIn(next.answer.result)).toMatchObject({ reason: 'budget_spent', budget: 'bytes' });
  });
});

describe('the room at a server', () => {
  test('is refused beyond its limit for as long as it is taken, and costs the run nothing', async () => {
    const gateway = await start({ calls: 2 }, { inflight: 1 });
    const slow = await inRun(gateway, 'slow');
    const quick = await inRun(gateway, 'quick');
    const waiting = slow.call('up__wait', { ms: 400 });
    await vi.waitFor(() => expect(upstream.calls.get('wait')).toBe(1));
    const refused = await echo(quick);
    expect(refusalIn(refused.answer.result)).toMatchObject({ reason: 'rate_limited', limit: 1, retry_after_s: 1 });
    expect(upstream.calls.get('echo')).toBeUndefined();
    expect(textOf(await waiting)).toBe('waited');
    expect(textOf(await echo(quick))).toBe('x');
    expect(textOf(await echo(quick))).toBe('x');
    expect(reasonOf(await echo(quick))).toBe('budget_spent');
  });
});
