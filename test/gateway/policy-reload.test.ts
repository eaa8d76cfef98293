import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startGatewayProcess, writeConfig } from '#test/support/gateway-process.ts';
import { itemsOf, openSession, reasonOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';
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

const open = 'package sekisho\n\ndecision := {"grant": [{"id": "all"}]}\n';
const shut = 'package sekisho\n\ndecision := {"grant": [{"id": "all"}], "deny": [{"code": "SHUT", "message": "no"}]}\n';
const broken = 'package sekisho\n\ndecision := {"grant": [{"id": "evil"}]} if {\n';

const servers = () => ({ up: { tier: 'internal', url: upstream.url, tools: { '*': { action: 'read' } } } });

async function start(): Promise<TestGateway> {
  sekisho = await startGateway({
    servers: servers(),
    policy: { path: folder.at('policies') },
    state: folder.at('state'),
  });
  return sekisho;
}

const readyz = async ({ adminUrl }: TestGateway): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${adminUrl}/readyz`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** Until it is so: an edit is noticed, compiled and tested first. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 15_000; waited += 50) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('it did not come to be');
}

describe('an edit of the policy folder', () => {
  test('is in force without a restart, for calls and lists, and the session goes on', async () => {
    await folder.write('policies/a.rego', open);
    const gateway = await start();
    const session = await openSession(gateway);
    expect(itemsOf(await session.ask('tools/list'), 'tools').length).toBeGreaterThan(0);
    const before = gateway.gateway.snapshots.current().policy.revision;
    await folder.write('policies/a.rego', shut);
    await until(async () => reasonOf(await session.call('up__echo', { message: 'x' })) !== null);
    expect(itemsOf(await session.ask('tools/list'), 'tools')).toEqual([]);
    const last = (await gateway.audit()).at(-2) as { decision: { revision: string; codes: string[] } };
    expect(last.decision.codes).toEqual(['SHUT']);
    expect(last.decision.revision).not.toBe(before);
    expect(total(await gateway.metrics(), 'sekisho_policy_reloads_total', { outcome: 'swapped' })).toBe(1);
  });

  test('is announced to whoever has a list', async () => {
    await folder.write('policies/a.rego', open);
    const gateway = await start();
    const client = await gateway.client();
    let told = 0;
    client.fallbackNotificationHandler = async ({ method }) => void (method.endsWith('tools/list_changed') && told++);
    await folder.write('policies/a.rego', shut);
    await gateway.gateway.policy.reload();
    await until(async () => told > 0);
  });

  test('that is broken changes nothing but what people are told: the place, in readyz, the log and a metric', async () => {
    await folder.write('policies/a.rego', open);
    const gateway = await start();
    const session = await openSession(gateway);
    await folder.write('policies/sub/b.rego', broken);
    await until(async () => (await readyz(gateway)).body.policy_broken !== null);
    const { status, body } = await readyz(gateway);
    expect(status).toBe(200);
    expect(body.policy_broken).toMatchObject({
      errors: [{ file: 'sub/b.rego', row: 4, col: 1, code: 'rego_parse_error' }],
    });
    expect(gateway.log.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ file: folder.at('policies/sub/b.rego'), line: 4, column: 1 }),
    );
    expect(total(await gateway.metrics(), 'sekisho_policy_broken', {})).toBe(1);
    expect(reasonOf(await session.call('up__echo', { message: 'x' }))).toBeNull();

    await rm(folder.at('policies/sub/b.rego'));
    await until(async () => (await readyz(gateway)).body.policy_broken === null);
    expect(total(await gateway.metrics(), 'sekisho_policy_broken', {})).toBe(0);
  });

  test('whose own tests fail is broken, too', async () => {
    await folder.write('policies/a.rego', open);
    const gateway = await start();
    const before = gateway.gateway.policy.state().revision;
    await folder.write(
      'policies/a_test.rego',
      'package a_test\n\ntest_all if data.sekisho.decision.grant[0].id == "all"\n',
    );
    await folder.write('policies/a.rego', open.replace('all', 'every'));
    expect(await gateway.gateway.policy.reload()).toMatchObject({
      revision: before,
      broken: { errors: [{ file: 'a_test.rego', row: 3, code: 'test_failed' }] },
    });
  });
});

describe('a start with a broken folder', () => {
  test('goes on with the policy that served last, and says so', async () => {
    await folder.write('policies/a.rego', shut);
    const first = await start();
    const { revision } = first.gateway.policy.state();
    await first.gateway.close();
    await folder.write('policies/a.rego', broken);
    const again = await start();
    expect(again.gateway.policy.state()).toMatchObject({ revision, broken: { errors: [{ file: 'a.rego', row: 4 }] } });
    expect(reasonOf(await (await openSession(again)).call('up__echo', { message: 'x' }))).toBe('tool_unknown');
    expect((await again.audit()).at(-1)).toMatchObject({ decision: { revision, codes: ['SHUT'] } });
  });

  test('is refused where none served before, or what is kept of it was touched', async () => {
    await folder.write('policies/a.rego', broken);
    await expect(start()).rejects.toThrow(/a\.rego:4:1: rego_parse_error/);
    await folder.write('state/policy-last-good.json', `${'0'.repeat(64)}\n{"revision":"evil"}`);
    await expect(start()).rejects.toThrow(/a\.rego:4:1: rego_parse_error/);
  });
});

test('SIGHUP and `sekisho policy reload` look at once, and the command says what is broken', async () => {
  await folder.write('policies/a.rego', open);
  const config = await writeConfig(folder.path, { servers: servers(), policy: { path: folder.at('policies') } });
  const gateway = await startGatewayProcess(config, folder.path);
  try {
    const reload = () => runCli(['policy', 'reload', '--config', config]);
    const first = await reload();
    expect([first.code, first.out]).toEqual([0, expect.stringMatching(/^sha256-\w{16}\n$/)]);
    await folder.write('policies/a.rego', broken);
    const second = await reload();
    expect(second.code).toBe(3);
    expect(second.out).toBe(first.out);
    expect(second.err).toContain(`${folder.at('policies/a.rego')}:4:1: rego_parse_error`);
    await folder.write('policies/a.rego', shut);
    gateway.child.kill('SIGHUP');
    await until(async () => {
      const status = await gateway.control.status();
      return 'policy' in status && status.policy.revision !== first.out.trim();
    });
  } finally {
    expect(await gateway.stop('SIGTERM')).toBe(0);
  }
}, 60_000);
