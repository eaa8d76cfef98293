import { expect, test } from 'vitest';
import { approvalsCommand } from '#gateway/cli/approvals.ts';
import { aControlApi, anApproval } from '#test/support/control-api.ts';
import { controlSocket } from '#test/support/control-socket.ts';
import { runCli, runVerbs } from '#test/support/run-cli.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const run = (socket: string, ...args: string[]) =>
  runVerbs((shell) => [approvalsCommand(shell)], ['approvals', ...args, '--socket', socket]);

test('lists what waits', async () => {
  await using control = await controlSocket();
  expect(await run(control.path, 'ls')).toEqual({
    code: 0,
    out: `ID     STATE    TOOL             PRINCIPAL  RUN    EXPIRES
apr_1  pending  files.move_file  ada        ide:1  in 15 min
`,
    err: '',
  });
  expect(await run(control.path, 'ls', '--state', 'declined')).toMatchObject({ code: 0, out: 'Nothing waits.\n' });
  expect(JSON.parse((await run(control.path, 'ls', '--state', 'any', '--json')).out)).toEqual([anApproval()]);
});

test('shows all of one, with digests in full', async () => {
  await using control = await controlSocket();
  expect(await run(control.path, 'show', 'apr_1')).toEqual({
    code: 0,
    out: `apr_1 pending
  tool        files.move_file
  principal   ada
  run         ide:1
  asked       2026-09-21T14:13:20.000Z because of RISKY_CALL
  expires     2026-09-21T14:28:20.000Z
  who may     anybody who may open the socket
  call        sha256-call
  definition  sha256-tool
  arguments   sha256-arguments
  policy      sha256-policy
{
  "source": "a.txt",
  "destination": "b.txt"
}
`,
    err: '',
  });
});

test('nothing in an approval can hide or speak to the terminal', async () => {
  const shown = anApproval({
    arguments: { source: 'a\u202etxt.exe', 'na\u200bme': '\u001b[2J\\u{200b}', deep: [{ x: '\u00a0' }] },
    messages: ['look:\u001b[31m red'],
    binding: { ...anApproval().binding, principal: 'ad\u200ba' },
    responses: { confirm: { content: { to: 'e\u202evil' } } },
  });
  const api = aControlApi();
  const approvals = { ...api.approvals, show: () => shown, list: () => [shown] };
  await using control = await controlSocket(Object.assign(api, { approvals }));
  const { out } = await run(control.path, 'show', 'apr_1');
  expect(out).toContain('"source": "a\\u{202e}txt.exe"');
  expect(out).toContain('"na\\u{200b}me": "\\u001b[2J\\\\u{200b}"');
  expect(out).toContain('"x": "\\u{a0}"');
  expect(out).toContain('look:\\u{1b}[31m red');
  expect(out).toContain('ad\\u{200b}a');
  expect(out).toContain('"to": "e\\u{202e}vil"');
  const list = await run(control.path, 'ls');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested.
  expect(out + list.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u200b\u202e\u00a0]/);
});

test('approves in the name of the user of the system, once', async () => {
  await using control = await controlSocket();
  expect(await run(control.path, 'approve', 'apr_1')).toEqual({
    code: 0,
    out: 'approved apr_1\n',
    err: 'The agent repeats its call; it passes once.\n',
  });
  expect(control.api.asked).toEqual([['apr_1', { state: 'approved', by: 'ada', why: null }]]);
  expect(await run(control.path, 'deny', 'apr_1', '--why', 'no')).toEqual({
    code: 6,
    out: '',
    err: 'error: Approval apr_1 is approved already.\n',
  });
});

test('denies with a reason', async () => {
  await using control = await controlSocket();
  const ran = await run(control.path, 'deny', 'apr_1', '--why', 'not on a Friday', '--json');
  expect(JSON.parse(ran.out)).toEqual(anApproval({ state: 'declined', decidedBy: 'ada', why: 'not on a Friday' }));
});

test('an approval that is not there is a mistake of usage', async () => {
  await using control = await controlSocket();
  expect(await run(control.path, 'show', 'apr_2')).toEqual({
    code: 2,
    out: '',
    err: 'error: There is no "apr_2" here.\n',
  });
});

test('without a gateway it exits with 4 and says how to start one', async () => {
  await using folder = await scratchFolder();
  const socket = folder.at('control.sock');
  expect(await runCli(['approvals', 'ls', '--socket', socket])).toEqual({
    code: 4,
    out: '',
    err: `error: No gateway answers at ${socket}. Is the gateway running? sekisho up\n`,
  });
});

test('the real command finds the socket: by option, by environment, by config, by the folder it stands in', async () => {
  await using control = await controlSocket();
  await using folder = await scratchFolder({ 'gateway.yaml': `state: ${control.folder}\nservers: \${env:NEEDED}\n` });
  const ways = [
    runCli(['approvals', 'ls', '--socket', control.path]),
    runCli(['approvals', 'ls'], { env: { SEKISHO_SOCKET: control.path } }),
    runCli(['approvals', 'ls', '--config', folder.at('gateway.yaml')], { env: { SEKISHO_SOCKET: '/nowhere' } }),
    runCli(['approvals', 'ls'], { env: { SEKISHO_CONFIG: folder.at('gateway.yaml') } }),
    runCli(['approvals', 'ls'], { cwd: folder.path }),
  ];
  for (const ran of await Promise.all(ways)) expect(ran).toMatchObject({ code: 0, err: '' });
});

test('a config that cannot be read is said to be in the way', async () => {
  const ran = await runCli(['approvals', 'ls', '--config', 'none.yaml']);
  expect(ran).toMatchObject({ code: 3, out: '' });
  expect(ran.err).toBe(
    'error: none.yaml – this file cannot be read (ENOENT)\nName the gateway with --config FILE or --socket PATH.\n',
  );
});
