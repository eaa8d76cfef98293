import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { openSession, reasonOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';
import { packFolder } from '#test/support/rego.ts';
import { runCli } from '#test/support/run-cli.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let upstream: EverythingUpstream;
let folder: ScratchFolder;
let sekisho: TestGateway | undefined;

beforeAll(async () => {
  upstream = await startEverything();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  folder = await scratchFolder();
});
afterEach(async () => {
  await sekisho?.close();
  sekisho = undefined;
  await folder[Symbol.asyncDispose]();
});

const rules = (...lines: string[]): string =>
  `package sekisho\n\ndecision := {"grant": [{"id": "all"}], "deny": deny}\n\n${lines.join('\n\n')}\n`;
const never = 'deny contains {"code": "NEVER", "message": "m"} if input.v == 7';
const noText = 'deny contains {"code": "NO_TEXT", "message": "m"} if input.tool.name == "test_simple_text"';
const noEvil = 'deny contains {"code": "NO_EVIL", "message": "m"} if input.arguments.message == "evil"';

async function start(policy: Record<string, unknown>): Promise<TestGateway> {
  const servers = { up: { tier: 'internal', url: upstream.url, tools: { '*': { action: 'read' } } } };
  sekisho = await startGateway({ servers, policy });
  return sekisho;
}

/** Four calls: three of one tool, one of them with an argument that some would rather not see; and one of another. */
async function fourCalls(gateway: TestGateway): Promise<void> {
  const session = await openSession(gateway);
  for (const message of ['a', 'b', 'evil']) await session.call('up__echo', { message });
  await session.call('up__test_simple_text', {});
}

const replay = (log: string, policies: string, ...more: string[]) =>
  runCli(['policy', 'replay', '--log', log, '--policies', policies, ...more]);

describe('sekisho policy replay', () => {
  test('finds nothing on the revision that was recorded, whatever its rules look at', async () => {
    await folder.write('policies/a.rego', rules(noEvil, noText));
    const log = folder.at('decisions.jsonl');
    const gateway = await start({ path: folder.at('policies'), log: { path: log, arguments: 'keep' } });
    await fourCalls(gateway);
    await gateway.gateway.close();
    const { code, out } = await replay(log, folder.at('policies'));
    expect([code, out]).toEqual([0, expect.stringMatching(/^4 calls judged alike, 0 otherwise, by sha256-\w{16}\n$/)]);
  });

  test('finds nothing on the shipped pack, with the arguments erased', async () => {
    const log = folder.at('decisions.jsonl');
    const gateway = await start({ path: packFolder, log: { path: log } });
    await fourCalls(gateway);
    await gateway.gateway.close();
    expect(await readFile(log, 'utf8')).not.toContain('evil');
    const { code, out } = await replay(log, packFolder);
    expect([code, out]).toEqual([0, expect.stringContaining('4 calls judged alike, 0 otherwise')]);
  });

  test.each([
    ['that looks at no arguments', [noText], null],
    ['that does', [noText, noEvil], 'policy_unavailable'],
  ])('finds nothing for arguments too large for the engine, of a policy %s', async (_, lines, said) => {
    await folder.write('policies/a.rego', rules(...lines));
    const log = folder.at('decisions.jsonl');
    const gateway = await start({ path: folder.at('policies'), log: { path: log, arguments: 'keep' } });
    const session = await openSession(gateway);
    expect(reasonOf(await session.call('up__echo', { message: 'x'.repeat(1_100_000) }))).toBe(said);
    await gateway.gateway.close();
    const { code, out } = await replay(log, folder.at('policies'));
    expect([code, out]).toEqual([0, expect.stringContaining('1 calls judged alike, 0 otherwise')]);
  });

  test('groups what a stricter policy would change, by tool, code and principal, and ends with 1', async () => {
    await folder.write('policies/a.rego', rules(never));
    await folder.write('stricter/a.rego', rules(noEvil, noText));
    const log = folder.at('decisions.jsonl');
    const gateway = await start({ path: folder.at('policies'), log: { path: log, arguments: 'keep' } });
    await fourCalls(gateway);
    await gateway.gateway.close();
    const { code, out } = await replay(log, folder.at('stricter'), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ same: 2, changed: 2, unknown: 0, unreadable: 0 });
    const groups = JSON.parse(out).groups as { target: string; after: object; before: object; principal: string }[];
    expect(groups.map(({ target, after }) => [target, after])).toEqual(
      expect.arrayContaining([
        ['up/echo', { verdict: 'deny', codes: ['NO_EVIL'] }],
        ['up/test_simple_text', { verdict: 'deny', codes: ['NO_TEXT'] }],
      ]),
    );
    expect(groups[0]?.principal).toMatch(/^run:/);
    expect((await replay(log, folder.at('stricter'))).out).toMatch(
      /1 +up\/echo +run:\S+ +allow \(all\) +deny \(NO_EVIL\) +\S+/,
    );
  });

  test('says what it cannot know: a rule about arguments on a log without them', async () => {
    await folder.write('policies/a.rego', rules(never));
    await folder.write('stricter/a.rego', rules(noEvil));
    const log = folder.at('decisions.jsonl');
    const gateway = await start({ path: folder.at('policies'), log: { path: log } });
    await fourCalls(gateway);
    await gateway.gateway.close();
    const { code, out, err } = await replay(log, folder.at('stricter'));
    expect([code, out]).toEqual([1, expect.stringContaining('0 calls judged alike, 0 otherwise')]);
    expect(err).toContain('4 calls cannot be judged again');
  });

  test('says what is broken in the policies, with --json as one document, and ends with 3', async () => {
    const file = await folder.write('policies/a.rego', 'package sekisho\n\ndecision := {\n');
    await folder.write('log.jsonl', '');
    const told = await replay(folder.at('log.jsonl'), folder.at('policies'));
    expect(told).toMatchObject({ code: 3, out: '', err: expect.stringContaining(`${file}:4:1: rego_parse_error`) });
    const { code, out, err } = await replay(folder.at('log.jsonl'), folder.at('policies'), '--json');
    expect([code, err]).toEqual([3, '']);
    expect(JSON.parse(out).errors[0]).toMatchObject({ file: 'a.rego', row: 4, col: 1 });
  });

  test('names a log that is not there, and lines that are no decisions', async () => {
    await folder.write('policies/a.rego', rules(never));
    await folder.write('log.jsonl', '{"half": \n');
    expect((await replay(folder.at('nowhere'), folder.at('policies'))).err).toContain('ENOENT');
    expect(await replay(folder.at('log.jsonl'), folder.at('policies'))).toMatchObject({
      code: 1,
      err: '1 lines are no decisions\n',
    });
  });
});

describe('a shadow policy', () => {
  /** It is compiled beside the start. */
  const startBeside = async (revision: 'ready' | 'broken') => {
    const gateway = await start({ path: folder.at('policies'), shadow: folder.at('candidate') });
    for (let waited = 0; waited < 10_000; waited += 50) {
      const state = gateway.gateway.shadow?.state();
      if (revision === 'ready' ? state?.revision : state?.broken) return gateway;
      await sleep(50);
    }
    throw new Error(`it is not ${revision}`);
  };
  const compared = async (gateway: TestGateway, calls: number) => {
    for (let waited = 0; waited < 10_000; waited += 50) {
      const state = gateway.gateway.shadow?.state();
      if (state && state.same + state.changed >= calls) return state;
      await sleep(50);
    }
    throw new Error(`it was not asked: ${JSON.stringify(gateway.gateway.shadow?.state())}`);
  };

  test('is asked about every call and obeyed in none; what it would change is counted and listed', async () => {
    await folder.write('policies/a.rego', rules(never));
    await folder.write('candidate/a.rego', rules(noEvil, noText));
    const gateway = await startBeside('ready');
    const session = await openSession(gateway);
    expect(reasonOf(await session.call('up__echo', { message: 'evil' }))).toBeNull();
    await fourCalls(gateway);
    const state = await compared(gateway, 5);
    expect(state).toMatchObject({ same: 2, changed: 3, dropped: 0, broken: null });
    expect(state.groups.map(({ target, count }) => [target, count])).toEqual(
      expect.arrayContaining([
        ['up/test_simple_text', 1],
        ['up/echo', 1],
      ]),
    );
    const page = await gateway.metrics();
    expect(total(page, 'sekisho_shadow_decisions_total', { outcome: 'changed' })).toBe(3);
    for (const { decision } of (await gateway.audit()) as { decision: { codes: string[] } | null }[]) {
      expect(decision?.codes ?? ['all']).toEqual(['all']);
    }
  });

  test('that cannot be read yet does not keep the gateway from starting, and joins when it can', async () => {
    await folder.write('policies/a.rego', rules(never));
    await folder.write('candidate/a.rego', rules(noEvil));
    let [starting, edits] = [true, 0];
    // In each turn of the loop that its reader's timers run on, so that it never sees the folder at rest.
    const editing = (async () => {
      for (; starting; await turn()) writeFileSync(folder.at('candidate/b.rego'), `package b\n\nx := ${edits++}\n`);
    })();
    const gateway = await start({ path: folder.at('policies'), shadow: folder.at('candidate') });
    expect(gateway.gateway.shadow?.state()).toMatchObject({ revision: null, broken: null });
    starting = false;
    await editing;
    for (let waited = 0; gateway.gateway.shadow?.state().revision === null && waited < 10_000; waited += 50)
      await sleep(50);
    await fourCalls(gateway);
    expect(await compared(gateway, 4)).toMatchObject({ changed: 1, same: 3 });
  });

  test('that is broken, or throws, changes nothing and says so; mended, it begins anew', async () => {
    await folder.write('policies/a.rego', rules(never));
    await folder.write('candidate/a.rego', 'package sekisho\n\ndecision := {\n');
    const gateway = await startBeside('broken');
    await fourCalls(gateway);
    expect(gateway.gateway.shadow?.state()).toMatchObject({ revision: null, changed: 0 });
    expect(gateway.gateway.shadow?.state().broken?.[0]).toMatchObject({ file: 'a.rego', row: 4 });
    await folder.write(
      'candidate/a.rego',
      'package sekisho\n\ndecision := 1 if input.v == 1\n\ndecision := 2 if input.v == 1\n',
    );
    for (let waited = 0; gateway.gateway.shadow?.state().revision === null && waited < 10_000; waited += 50)
      await sleep(50);
    await fourCalls(gateway);
    const state = await compared(gateway, 4);
    expect(state.changed).toBe(4);
    expect(new Set(state.groups.map(({ after }) => after.verdict))).toEqual(new Set(['unusable']));
  });
});
