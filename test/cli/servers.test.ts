import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { serversCommand } from '#gateway/cli/servers.ts';
import type { Signing } from '#gateway/cli/servers-manifest.ts';
import type { Shell } from '#gateway/cli/shell.ts';
import { aControlApi } from '#test/support/control-api.ts';
import { controlSocket } from '#test/support/control-socket.ts';
import { runVerbs } from '#test/support/run-cli.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const nobody: Signing = {
  sign: () => Promise.reject(new Error('not asked for')),
  verify: () => Promise.reject(new Error('not asked for')),
};

const run = (args: readonly string[], changes: Partial<Shell> = {}, signing: Signing = nobody) =>
  runVerbs((shell) => [serversCommand(shell, signing)], ['servers', ...args], changes);

test('lists servers and tools', async () => {
  await using control = await controlSocket();
  expect(await run(['ls', '--socket', control.path])).toEqual({
    code: 0,
    out: `ID     STATE  TIER      TRANSPORT  TOOLS  TRUST     NOTE
files  up     internal  stdio      14     unsigned
`,
    err: '',
  });
  expect(await run(['tools', 'files', '--socket', control.path])).toMatchObject({
    code: 0,
    out: `TOOL       EXPOSED AS        ACTION  RISK  CLOSED
move_file  files__move_file  write   high
`,
  });
  expect(await run(['tools', 'none', '--socket', control.path])).toMatchObject({ code: 2, out: '' });
});

test('shows what changed, member by member and nothing hidden, and exits with 1', async () => {
  await using control = await controlSocket();
  expect(await run(['diff', 'files', '--socket', control.path])).toEqual({
    code: 1,
    out: `~ tool move_file changed
  /description
  - "Moves a file."
  + "Moves a file.\\u{200b} And more."
! tool move_file /description
  hidden_character: invisible characters: U+200B
  "Moves a file.\\u{200b} And more."
digest sha256-live
`,
    err: `error: One definition changed since files was approved.
sekisho servers approve files --digest sha256-live
`,
  });
});

test('exits with 0 when nothing changed', async () => {
  const api = aControlApi();
  const diff = () => ({
    server: 'files',
    digest: 'sha256-live',
    drift: [],
    findings: [],
    held: false,
    quarantined: [],
  });
  await using control = await controlSocket(Object.assign(api, { servers: { ...api.servers, diff } }));
  expect(await run(['diff', 'files', '--socket', control.path])).toEqual({
    code: 0,
    out: 'files serves what was approved (sha256-live).\n',
    err: '',
  });
});

test('shows a definition that is new or gone as a whole', async () => {
  const api = aControlApi();
  const drift = [
    { kind: 'tool', name: 'a', state: 'added', fields: [], approved: null, live: { name: 'a' } },
    {
      kind: 'tool',
      name: 'd',
      from: 'c',
      state: 'renamed',
      fields: ['/name'],
      approved: { name: 'c' },
      live: { name: 'd' },
    },
    { kind: 'tool', name: 'e', state: 'changed', fields: ['/title'], approved: { title: '' }, live: { title: null } },
    { kind: 'tool', name: 'f', state: 'readded', as: 'other', fields: [], approved: null, live: { name: 'f' } },
    { kind: 'prompt', name: 'b', state: 'removed', fields: [], approved: { name: 'b' }, live: null },
  ] as const;
  const diff = () => ({
    server: 'files',
    digest: 'sha256-live',
    drift: structuredClone(drift) as never,
    findings: [],
    held: false,
    quarantined: [],
  });
  await using control = await controlSocket(Object.assign(api, { servers: { ...api.servers, diff } }));
  const { out } = await run(['diff', 'files', '--socket', control.path]);
  expect(out).toBe(`+ tool a added
  (whole)
  + {
  +   "name": "a"
  + }
> tool d renamed from c
  (whole)
  - {
  -   "name": "c"
  - }
  + {
  +   "name": "d"
  + }
~ tool e changed
  /title
  - ""
  + null
+ tool f readded, other than it was approved once
  (whole)
  + {
  +   "name": "f"
  + }
- prompt b removed
  (whole)
  - {
  -   "name": "b"
  - }
digest sha256-live
`);
});

test('shows signs of poisoning, with what is invisible written out, and exits with 1', async () => {
  await using control = await controlSocket();
  expect(await run(['check', 'files', '--socket', control.path])).toEqual({
    code: 1,
    out: `! tool move_file /description
  hidden_character: invisible characters: U+200B
  "Moves a file.\\u{200b} And more."
`,
    err: `error: One sign of poisoning in what files says.
sekisho servers approve files --digest sha256-live
`,
  });
});

test('a server that waits for a person is no clean diff', async () => {
  const api = aControlApi();
  const { diff: changed } = api.servers;
  const diff = async () => ({ ...(await changed('files')), drift: [], held: true }) as never;
  await using control = await controlSocket(Object.assign(api, { servers: { ...api.servers, diff } }));
  const ran = await run(['diff', 'files', '--socket', control.path]);
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('One sign of poisoning in files, held back.') });
  expect(ran.out).toContain('files waits for a person (sha256-live).');
});

test('takes a server or a tool out of use, and back, in the name of who asks', async () => {
  await using control = await controlSocket();
  const { path } = control;
  expect(await run(['quarantine', 'files', '--tool', 'move_file', '--why', 'odd', '--socket', path])).toEqual({
    ...{ code: 0, out: 'quarantined files move_file\n' },
    err: 'Calls under way go on to their end. Back again: sekisho servers release files --tool move_file\n',
  });
  expect(control.api.asked.at(-1)).toEqual(['files', { tool: 'move_file', by: 'ada', why: 'odd' }]);
  expect(await run(['quarantine', 'files', '--socket', path])).toMatchObject({ code: 0, out: 'quarantined files\n' });
  expect(control.api.asked.at(-1)).toEqual(['files', { by: 'ada', why: null }]);
  expect(await run(['release', 'files', '--socket', path])).toEqual({ code: 0, out: 'released files\n', err: '' });
  expect(control.api.asked.at(-1)).toEqual(['files', { by: 'ada' }]);
  expect(await run(['release', 'files', '--tool', 'free', '--socket', path])).toMatchObject({ code: 6, out: '' });
});

test('a server with something in quarantine is no clean diff, and says who, since when and why', async () => {
  const api = aControlApi();
  const quarantined = [
    { tool: null, at: 1_790_000_000_000, by: 'ada', why: null },
    { tool: 'move_file', at: 1_790_000_000_000, by: 'grace', why: 'odd\u200b' },
  ];
  const diff = () => ({ server: 'files', digest: 'sha256-live', drift: [], findings: [], held: false, quarantined });
  await using control = await controlSocket(Object.assign(api, { servers: { ...api.servers, diff } }));
  expect(await run(['diff', 'files', '--socket', control.path])).toEqual({
    code: 1,
    out: `files serves what was approved (sha256-live).
# the whole server quarantined by ada since 2026-09-21T14:13:20.000Z
# tool move_file quarantined by grace since 2026-09-21T14:13:20.000Z: odd\\u{200b}
`,
    err: 'error: files is in quarantine, or part of it.\n',
  });
});

test('approves by digest, and only what was seen', async () => {
  await using control = await controlSocket();
  const approve = (digest: string) => run(['approve', 'files', '--digest', digest, '--socket', control.path]);
  expect(await approve('sha256-old')).toEqual({ code: 6, out: '', err: 'error: It changed since you looked.\n' });
  expect(await approve('sha256-live')).toEqual({ code: 0, out: 'approved files: 14 tools\n', err: '' });
  expect(control.api.asked.at(-1)).toEqual(['files', { expected: 'sha256-live', by: 'ada' }]);
});

test('does not approve what nobody looked at', async () => {
  await using control = await controlSocket();
  const ran = await run(['approve', 'files', '--socket', control.path]);
  expect(ran).toMatchObject({ code: 2, out: '' });
  expect(ran.err).toContain('Look first, then: sekisho servers approve files --digest sha256-live');
  expect(control.api.asked).toEqual([]);
});

test.each([
  ['y', 0, 1],
  ['', 1, 0],
  ['no', 1, 0],
])('asks a person, and takes %j for an answer', async (answer, code, approved) => {
  await using control = await controlSocket();
  const input = Readable.from([`${answer}\n`]);
  const ran = await run(['approve', 'files', '--socket', control.path], { interactive: true, input });
  expect(ran.code).toBe(code);
  expect(ran.err).toContain('Approve this? [y/N]');
  expect(control.api.asked).toHaveLength(approved);
});

test('--yes approves what there is, and shows it', async () => {
  await using control = await controlSocket();
  const ran = await run(['approve', 'files', '--yes', '--socket', control.path]);
  expect(ran).toMatchObject({ code: 0, out: 'approved files: 14 tools\n' });
  expect(ran.err).toContain('+ "Moves a file.\\u{200b} And more."');
});

test('signs exactly what the server serves now', async () => {
  await using control = await controlSocket();
  const orders: unknown[] = [];
  const signing: Signing = {
    ...nobody,
    async sign(order) {
      orders.push(order);
      return { path: order.out, seq: 4, tools: order.definitions.tools.length };
    },
  };
  const ran = await run(['sign', 'files', '--key', 'k.jwk', '--socket', control.path], {}, signing);
  expect(ran).toEqual({
    code: 0,
    out: 'signed 1 tools of files as number 4: files.manifest.json\n',
    err: 'Name it in the config: servers.files.manifest: { file: files.manifest.json, keys: k.jwk.pub }\n',
  });
  expect(orders).toEqual([
    {
      server: 'files',
      ...(await control.api.servers.definitions('files')),
      keyFile: 'k.jwk',
      out: 'files.manifest.json',
      seq: null,
      ttl: 90 * 86_400,
      now: 1_790_000_000_000,
    },
  ]);
});

test('says why it could not sign', async () => {
  await using control = await controlSocket();
  const ran = await run(['sign', 'files', '--key', 'k.jwk', '--socket', control.path]);
  expect(ran).toEqual({ code: 6, out: '', err: 'error: not asked for\n' });
});

test('verifies the manifest that the config names', async () => {
  const text = `version: 1
policy: { path: p }
identity: { development: true }
servers:
  a: { tier: partner, url: https://a.test, manifest: { file: a.json, keys: k.json } }
  b: { tier: partner, url: https://b.test }
`;
  await using folder = await scratchFolder({ 'gateway.yaml': text });
  const asked: unknown[] = [];
  const answers = [{ status: 'verified' }, { status: 'invalid', why: 'it was signed by somebody else' }];
  const signing: Signing = {
    ...nobody,
    async verify(question) {
      asked.push(question);
      return answers.shift() ?? { status: 'none' };
    },
  };
  const verify = (id: string) => run(['verify', id, '--config', folder.at('gateway.yaml')], {}, signing);
  expect(await verify('a')).toEqual({ code: 0, out: `a: verified (${folder.at('a.json')})\n`, err: '' });
  expect(await verify('a')).toMatchObject({
    code: 1,
    err: 'error: The manifest of a is not good: it was signed by somebody else.\n',
  });
  expect(asked[0]).toEqual({
    file: folder.at('a.json'),
    keys: folder.at('k.json'),
    server: 'a',
    url: 'https://a.test',
    now: 1_790_000_000_000,
  });
  expect(await verify('b')).toMatchObject({ code: 2, out: '' });
  expect(await verify('c')).toMatchObject({ code: 2, out: '' });
});
