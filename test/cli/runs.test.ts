import { expect, test } from 'vitest';
import { runsCommand } from '#gateway/cli/runs.ts';
import { aControlApi } from '#test/support/control-api.ts';
import { controlSocket } from '#test/support/control-socket.ts';
import { runVerbs } from '#test/support/run-cli.ts';

const run = (socket: string, ...args: string[]) =>
  runVerbs((shell) => [runsCommand(shell)], ['runs', ...args, '--socket', socket]);

test.each([
  ['run', ['ci:42:7'], 'revoked run ci:42:7\n', /run_revoked/],
  ['issuer', ['--issuer', 'https://ci.test'], 'revoked issuer https://ci.test\n', /take it out of the config/],
  ['rule', ['--rule', 'gha-acme'], 'revoked rule gha-acme\n', /take it out of the config/],
  ['key', ['--key', 'kid-1'], 'revoked key kid-1\n', /good for nothing/],
])('revokes a %s in the name of who asks', async (kind, args, out, err) => {
  await using control = await controlSocket();
  expect(await run(control.path, 'revoke', ...args)).toEqual({ code: 0, out, err: expect.stringMatching(err) });
  expect(control.api.asked).toEqual([{ kind, subject: args.at(-1), by: expect.any(String) }]);
});

test.each([[[]], [['a', '--rule', 'b']], [['--issuer', 'a', '--key', 'b']]])('%j is not one thing', async (args) => {
  await using control = await controlSocket();
  const ran = await run(control.path, 'revoke', ...args);
  expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('Name one: a run, --issuer, --rule or --key.') });
  expect(control.api.asked).toEqual([]);
});

test('lists what is revoked, and nothing in it can speak to the terminal', async () => {
  const revoked = [{ kind: 'run' as const, subject: 'ci:\u001b[2J', at: 1_790_000_000_000, by: 'grace' }];
  const api = aControlApi();
  await using control = await controlSocket({ ...api, runs: { ...api.runs, revoked: () => revoked } });
  const { code, out } = await run(control.path, 'revoked');
  expect(code).toBe(0);
  expect(out).toContain('2026-09-21T14:13:20.000Z  grace');
  expect(out).not.toContain('\u001b');
  expect(JSON.parse((await run(control.path, 'revoked', '--json')).out)).toEqual(revoked);
});

test('says so when nothing is', async () => {
  const api = aControlApi();
  await using control = await controlSocket({ ...api, runs: { ...api.runs, revoked: () => [] } });
  expect(await run(control.path, 'revoked')).toMatchObject({ code: 0, out: 'Nothing is revoked.\n' });
});
