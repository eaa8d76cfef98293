import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { type Heard, openSession, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;
let server: ListingServer;
let sekisho: TestGateway;

beforeEach(async () => {
  folder = await scratchFolder();
});
afterEach(async () => {
  await sekisho?.close();
  await server?.close();
  await folder[Symbol.asyncDispose]();
});

const token = `ghp_${'a1B2'.repeat(9)}`;
const inputSchema = {
  type: 'object',
  properties: { limit: { type: 'integer', maximum: 100 }, note: { type: 'string' }, path: { type: 'string' } },
};
const tools = [
  aTool('search', { inputSchema }),
  aTool('account', {
    outputSchema: {
      type: 'object',
      properties: { name: { type: 'string' }, token: { type: 'string' }, pin: { type: 'integer' } },
      required: ['name'],
    },
  }),
  aTool('strict', {
    outputSchema: { type: 'object', properties: { pin: { type: 'integer' } }, required: ['pin'] },
  }),
];

/** A gateway under a policy that grants everything and obliges to these. */
async function start(rules: string, policy: object = {}): Promise<void> {
  const never = ['deny', 'approve'].map((set) => `${set} contains {"code": "NEVER", "message": "m"} if input.v == 7`);
  const sets = '"deny": deny, "approve": approve, "obligations": obligations';
  const decision = `package sekisho\n\ndecision := {"grant": [{"id": "all"}], ${sets}}`;
  await folder.write('policies/a.rego', [decision, ...never, rules, ''].join('\n\n'));
  server = await startListing(tools);
  const up = {
    tier: 'internal',
    url: server.url,
    roots: { work: '/work' },
    tools: { '*': { action: 'read', paths: ['/path'] } },
  };
  sekisho = await startGateway({ servers: { up }, policy: { path: folder.at('policies'), ...policy } });
}

const oblige = (type: string, properties: object, when = 'input.tool'): string =>
  `obligations contains ${JSON.stringify({ id: type, type, properties })} if ${when}`;

const call = async (name: string, args: JsonObject = {}): Promise<Heard> =>
  (await openSession(sekisho)).call(`up__${name}`, args);

describe('an obligation to redact what comes back', () => {
  const account = { name: 'Ann', token: 'hunter2-hunter2', pin: 4711 };
  const result = { content: [{ type: 'text', text: JSON.stringify(account) }], structuredContent: account };

  test('takes out what stands at a pointer, in the structured content and in its copy as text, and it fits the schema', async () => {
    await start(oblige('redact', { on: 'result', pointers: ['/token'] }));
    const text = [{ type: 'text', text: 'the token is hunter2-hunter2' }, ...result.content];
    server.results.set('account', { ...result, content: text });
    const { answer } = await call('account');
    expect(answer.result?.structuredContent).toEqual({ name: 'Ann', token: '[redacted]', pin: 4711 });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect((await sekisho.audit()).at(-1)).toMatchObject({ decision: { verdict: 'allow', obligations: ['redact'] } });
    expect(answer.result?.content?.[0]?.text).toBe('the token is [redacted]');
  });

  test('leaves out what no mark can stand for, and withholds the answer where that does not fit either', async () => {
    await start(oblige('redact', { on: 'result', pointers: ['/pin'] }));
    server.results.set('account', result);
    server.results.set('strict', { content: [], structuredContent: { pin: 4711 } });
    expect((await call('account')).answer.result?.structuredContent).toEqual({ name: 'Ann', token: 'hunter2-hunter2' });
    const refused = await call('strict');
    expect(reasonOf(refused)).toBe('answer_blocked');
    expect(JSON.stringify(refused.answer)).not.toContain('4711');
    expect((await sekisho.audit()).at(-1)).toMatchObject({ reason: 'answer_blocked', outcome: 'answer_refused' });
  });

  test('takes out what is of a kind, wherever it stands', async () => {
    await start(oblige('redact', { on: 'result', kinds: ['github_token', 'email'] }));
    server.results.set('search', { content: [{ type: 'text', text: `ann@example.com has ${token}` }] });
    expect(textOf(await call('search'))).toBe('[redacted:email] has [redacted:github_token]');
    server.results.set('search', { isError: true, content: [{ type: 'text', text: `no: ${token}` }] });
    expect(textOf(await call('search'))).toBe('no: [redacted:github_token]');
  });
});

describe('an obligation to change what is sent', () => {
  test('clamps an argument; the server gets what was judged', async () => {
    const ops = [{ op: 'replace', path: '/limit', value: 50 }];
    await start(oblige('patch_arguments', { ops }, 'input.arguments.limit > 50'));
    await call('search', { limit: 99, note: 'x' });
    await call('search', { limit: 9 });
    expect(server.sent).toEqual([{ limit: 50, note: 'x' }, { limit: 9 }]);
  });

  test('takes a secret out of the arguments', async () => {
    await start(oblige('redact', { on: 'arguments', kinds: ['github_token'], pointers: ['/path'] }));
    await call('search', { note: `use ${token}`, path: '/work/a' });
    expect(server.sent).toEqual([{ note: 'use [redacted:github_token]', path: '[redacted]' }]);
  });

  test.each([
    ['to what the tool does not take', [{ op: 'add', path: '/limit', value: 1000 }]],
    ['where there is nothing', [{ op: 'replace', path: '/nowhere', value: 1 }]],
  ])('withholds the call when it changes it %s', async (_, ops) => {
    await start(oblige('patch_arguments', { ops }, 'input.arguments'));
    const refused = await call('search', { limit: 1 });
    expect(reasonOf(refused)).toBe('policy_unavailable');
    expect(server.calls).toEqual([]);
  });

  test('judges what it made of them: a patch cannot lead out of what the policy permits', async () => {
    const outside =
      'deny contains {"code": "OUT", "message": "m"} if {\n\tsome path in input.facts.paths\n\tpath.escapes\n}';
    const ops = [{ op: 'replace', path: '/path', value: '/etc/passwd' }];
    await start(`${outside}\n\n${oblige('patch_arguments', { ops }, 'input.arguments.path')}`);
    expect(refusalIn((await call('search', { path: '/work/a' })).answer.result)).toMatchObject({ codes: ['OUT'] });
    expect(server.calls).toEqual([]);
  });

  test('has a person asked about what would be sent, and sends that', async () => {
    const ops = [{ op: 'replace', path: '/limit', value: 50 }];
    const asks = 'approve contains {"code": "ASK"} if input.arguments.limit';
    await start(`${asks}\n\n${oblige('patch_arguments', { ops }, 'input.arguments.limit > 50')}`);
    const session = await openSession(sekisho);
    const asked = refusalIn((await session.call('up__search', { limit: 99 })).answer.result);
    const { approvals } = sekisho.gateway.store;
    const id = String(asked?.approval);
    expect(approvals.find(id, Date.now())).toMatchObject({ state: 'pending', arguments: { limit: 50 } });
    approvals.decide(id, { state: 'approved', by: 'service:reviewer', why: null }, Date.now());
    expect(reasonOf(await session.call('up__search', { limit: 98 }))).toBeNull();
    expect(server.sent).toEqual([{ limit: 50 }]);
  });

  test('judges it only once: a policy that would change it again withholds the call', async () => {
    const rules = [1, 2, 3].map((n) =>
      oblige(
        'patch_arguments',
        { ops: [{ op: 'replace', path: '/limit', value: n + 1 }] },
        `input.arguments.limit == ${n}`,
      ),
    );
    await start(rules.join('\n\n'));
    expect(reasonOf(await call('search', { limit: 1 }))).toBe('policy_unavailable');
    expect(reasonOf(await call('search', { limit: 3 }))).toBeNull();
    expect(server.sent).toEqual([{ limit: 4 }]);
  });
});

test('an obligation to limit a rate holds per key, and says when to come again', async () => {
  await start(oblige('rate_limit', { key: 'run+tool', per_min: 2 }));
  const session = await openSession(sekisho);
  const reasons = [];
  for (let i = 0; i < 3; i++) reasons.push(reasonOf(await session.call('up__search')));
  expect(reasons).toEqual([null, null, 'rate_limited']);
  const refused = refusalIn((await session.call('up__search')).answer.result);
  expect(refused).toMatchObject({ reason: 'rate_limited', limit: 2 });
  expect(Number(refused?.retry_after_s)).toBeGreaterThan(20);
  server.results.set('account', { content: [], structuredContent: { name: 'x' } });
  expect(reasonOf(await session.call('up__account'))).toBeNull();
  expect(reasonOf(await call('search'))).toBeNull();
  expect(server.calls).toHaveLength(4);
});

test('an obligation of a timeout ends a call that the server would have answered', async () => {
  await start(oblige('timeout', { ms: 200 }, 'input.tool.name == "search"'));
  server.delay.ms = 1_000;
  expect(reasonOf(await call('search'))).toBe('upstream_timeout');
  server.results.set('account', { content: [], structuredContent: { name: 'x' } });
  expect(reasonOf(await call('account'))).toBeNull();
});

describe('an obligation to log', () => {
  const rule = oblige('log', { level: 'full' }, 'input.tool.name == "search"');

  test('keeps the arguments of this call in a decision log that erases all others', async () => {
    await start(rule, { log: { path: folder.at('decisions.jsonl') } });
    await call('search', { note: 'kept' });
    server.results.set('account', { content: [], structuredContent: { name: 'x' } });
    await call('account', { note: 'erased' });
    await sekisho.gateway.close();
    const log = await readFile(folder.at('decisions.jsonl'), 'utf8');
    expect(log).toContain('"arguments":{"note":"kept"}');
    expect(log).not.toContain('"note":"erased"');
  });

  test('withholds the call where there is no decision log', async () => {
    await start(rule);
    expect(reasonOf(await call('search'))).toBe('policy_unavailable');
    expect(server.calls).toEqual([]);
  });
});

describe('an obligation to halt the run', () => {
  test.each([
    ['allowed', ''],
    ['denied', 'deny contains {"code": "TRAP", "message": "m"} if input.arguments.note == "trap"\n\n'],
  ])('ends it at a call that is otherwise %s; no call of it passes again, others go on', async (_, deny) => {
    await start(`${deny}${oblige('halt_run', { reason: 'it took the bait' }, 'input.arguments.note == "trap"')}`);
    const session = await openSession(sekisho);
    expect(reasonOf(await session.call('up__search', { note: 'fine' }))).toBeNull();
    const halted = await session.call('up__search', { note: 'trap' });
    expect(reasonOf(halted)).toBe('run_revoked');
    expect(halted.answer.error?.message).toContain('it took the bait');
    const codes = deny === '' ? ['all'] : ['TRAP'];
    expect((await sekisho.audit()).at(-1)).toMatchObject({
      reason: 'run_revoked',
      decision: { verdict: 'deny', codes },
    });
    expect(sekisho.log).toContainEqual(expect.objectContaining({ level: 'warn', message: 'the policy ended a run' }));
    expect(JSON.stringify(sekisho.log)).not.toContain('it took the bait');
    expect(reasonOf(await session.call('up__search', { note: 'fine' }))).toBe('run_revoked');
    expect(reasonOf(await call('search', { note: 'fine' }))).toBeNull();
    expect(server.calls).toHaveLength(2);
    expect(sekisho.gateway.revocations.all()).toMatchObject([{ kind: 'run', by: 'policy' }]);
  });
});

test('an obligation to halt the run does not tell of a tool that the caller may not list', async () => {
  const hidden = 'deny contains {"code": "HIDDEN", "message": "m"} if input.tool.name == "account"';
  await start(`${hidden}\n\n${oblige('halt_run', { reason: 'it took the bait' }, 'input.tool.name == "account"')}`);
  // What differs from call to call whatever is called.
  const said = ({ status, answer: { error } }: Heard) =>
    JSON.stringify({ status, error }).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'CALL');
  const unknown = said(await call('none-such'));
  const session = await openSession(sekisho);
  const halted = said(await session.call('up__account', {}));
  expect(halted).toBe(unknown);
  expect(halted).not.toContain('bait');
  expect((await sekisho.audit()).at(-1)).toMatchObject({ reason: 'run_revoked' });
  expect(reasonOf(await session.call('up__search'))).toBe('run_revoked');
});

test('what a policy says in no known shape is repeated to nobody', async () => {
  await start(
    'obligations contains {"id": "x", "type": input.arguments.note, "hush": "hunter2"} if input.arguments.note',
  );
  const refused = await call('search', { note: 'n0te' });
  expect(reasonOf(refused)).toBe('policy_unavailable');
  expect(JSON.stringify(refused.answer)).not.toMatch(/hunter2|n0te/);
});

test.each([
  ['of an unknown type', oblige('pray', {})],
  ['with an unknown property', oblige('timeout', { ms: 10, s: 1 })],
  ['of an unknown kind', oblige('redact', { on: 'result', kinds: ['wisdom'] })],
  ['that patches a prototype', oblige('patch_arguments', { ops: [{ op: 'add', path: '/__proto__/x', value: 1 }] })],
])('an obligation %s withholds the call', async (_, rule) => {
  await start(rule);
  expect(reasonOf(await call('search'))).not.toBeNull();
  expect(server.calls).toEqual([]);
  expect((await sekisho.audit()).at(-1)).toMatchObject({ reason: 'policy_unavailable' });
});

test('what must not be sent in the arguments is not sent beside them in `_meta` either', async () => {
  await start(oblige('redact', { on: 'arguments', kinds: ['github_token'] }));
  const session = await openSession(sekisho);
  const asked = { name: 'up__search', arguments: {}, _meta: { note: token } };
  expect(reasonOf(await session.ask('tools/call', asked))).toBe('policy_unavailable');
  expect(server.calls).toEqual([]);
  expect(textOf(await session.ask('tools/call', { ...asked, _meta: { note: 'plain' } }))).toBe('done');
});
