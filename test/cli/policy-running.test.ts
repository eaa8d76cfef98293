import { Command } from 'commander';
import { expect, test } from 'vitest';
import { policyReloadCommand } from '#gateway/cli/policy-reload.ts';
import { policyShadowCommand } from '#gateway/cli/policy-shadow.ts';
import { aControlApi } from '#test/support/control-api.ts';
import { controlSocket } from '#test/support/control-socket.ts';
import { runVerbs } from '#test/support/run-cli.ts';

const run = (socket: string, verb: string, ...args: string[]) =>
  runVerbs(
    (shell) => [new Command('policy').addCommand(policyReloadCommand(shell)).addCommand(policyShadowCommand(shell))],
    ['policy', verb, ...args, '--socket', socket],
  );

const said = (verdict: 'allow' | 'deny', code: string) => ({ verdict, codes: [code] });
const flaw = { file: 'a.rego', row: 4, col: 1, code: 'rego_parse_error', message: 'unexpected eof' };

test('reload says the revision in force, and what is broken', async () => {
  const policy = {
    ...aControlApi().policy,
    reload: () => ({ folder: '/etc/policies', revision: 'sha256-old', broken: { since: 1, errors: [flaw] } }),
  };
  await using control = await controlSocket(aControlApi({ policy }));
  expect(await run(control.path, 'reload')).toEqual({
    code: 3,
    out: 'sha256-old\n',
    err: 'error: The policy is broken; the last good one goes on:\n/etc/policies/a.rego:4:1: rego_parse_error: unexpected eof\n',
  });
});

test('shadow lists what would change, by tool, principal and code; what they wrote is printed, never interpreted', async () => {
  const group = {
    target: 'files/write_file',
    principal: 'run:\u001b[31m1',
    before: said('allow', 'dev'),
    after: said('deny', 'PATH'),
    count: 3,
    ids: ['c1', 'c2', 'c3'],
  };
  const report = {
    folder: '/etc/candidate',
    revision: 'sha256-new',
    broken: null,
    same: 9,
    changed: 3,
    dropped: 0,
    overflow: 0,
  };
  const shadow = () => ({ ...report, groups: [group] });
  await using control = await controlSocket(aControlApi({ policy: { ...aControlApi().policy, shadow } }));
  const { code, out } = await run(control.path, 'shadow');
  expect(code).toBe(0);
  expect(out).toContain('CALLS  TARGET');
  expect(out).toMatch(
    /3 +files\/write_file +\S+ +allow \(dev\) +deny \(PATH\) +c1\n9 calls judged alike, 3 otherwise, 0 not looked at, by sha256-new\n$/,
  );
  expect(out).not.toContain('\u001b');
});

test('shadow says where there is no candidate', async () => {
  await using control = await controlSocket();
  expect(await run(control.path, 'shadow')).toMatchObject({ code: 2, err: expect.stringContaining('There is none.') });
});

test.each([
  [flaw, '/etc/candidate/a.rego:4:1: rego_parse_error: unexpected eof'],
  [{ ...flaw, file: '', row: 0, col: 0, code: 'policy_missing' }, '/etc/candidate: policy_missing: unexpected eof'],
])('shadow says where its candidate is broken', async (error, line) => {
  const report = { folder: '/etc/candidate', revision: null, same: 0, changed: 0, dropped: 0, overflow: 0, groups: [] };
  const shadow = () => ({ ...report, broken: [error] });
  await using control = await controlSocket(aControlApi({ policy: { ...aControlApi().policy, shadow } }));
  const { code, out, err } = await run(control.path, 'shadow');
  expect([code, out]).toEqual([
    3,
    '0 calls judged alike, 0 otherwise, 0 not looked at, by nobody: the candidate is broken\n',
  ]);
  expect(err).toContain(line);
});
