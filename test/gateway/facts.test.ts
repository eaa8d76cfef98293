import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { itemsOf, openSession, reasonOf, refusalIn } from '#test/support/messages.ts';
import { packFolder } from '#test/support/rego.ts';
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

const hinted = { type: 'object', properties: { site: { type: 'string', format: 'uri' } } };
const tools = [aTool('fetch'), aTool('open', { inputSchema: hinted }), aTool('run')];
const token = `ghp_${'a1B2'.repeat(9)}`;

async function start(rules: string, more: object = {}): Promise<void> {
  const decision = 'package sekisho\n\ndecision := {"grant": [{"id": "all"}], "deny": deny}\n';
  await folder.write('policies/a.rego', decision);
  await folder.write('policies/b.rego', rules);
  await folder.write('policies/data.json', '{"egress": {"hosts": ["api.example.com"]}}');
  server = await startListing(tools);
  const classified = {
    '*': { action: 'read' },
    fetch: { action: 'read', urls: ['/url', '/all'] },
    run: { action: 'exec', commands: ['/line'], branches: ['/branch'] },
  };
  const up = { tier: 'public', url: server.url, tools: classified };
  sekisho = await startGateway({ servers: { up }, policy: { path: folder.at('policies'), ...more } });
}

const codesOf = async (name: string, args: JsonObject): Promise<unknown> => {
  const heard = await (await openSession(sekisho)).call(`up__${name}`, args);
  const refused = refusalIn(heard.answer.result);
  return reasonOf(heard) === 'policy_denied' ? refused?.codes : reasonOf(heard);
};

/** As policies/README.md shows it. */
async function shown(): Promise<string> {
  const text = await readFile(join(packFolder, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(/^```rego\n(.*?)^```$/gms)].map(([, rego = '']) => rego);
  return blocks.find((rego) => rego.includes('HOST_FORBIDDEN')) ?? '';
}

describe('the rules about hosts and secrets that policies/README.md shows', () => {
  test.each<[string, JsonObject, unknown]>([
    ['fetch', { url: 'https://api.example.com/x' }, null],
    ['fetch', { all: ['https://api.example.com/x', 'https://evil.com'] }, ['HOST_FORBIDDEN']],
    ['fetch', { url: 'https://api.example.com@evil.com' }, ['HOST_FORBIDDEN']],
    ['fetch', { url: 'http://169.254.169.254/' }, ['HOST_FORBIDDEN']],
    ['fetch', { url: 7 }, 'arguments_invalid'],
    ['open', { site: 'https://evil.com' }, ['HOST_FORBIDDEN']],
    ['run', { anything: `x ${token}` }, ['SECRET_LEAVES']],
    ['run', { anything: 'x' }, null],
  ])('%s %j', async (name, args, wanted) => {
    await start(await shown());
    expect(await codesOf(name, args)).toEqual(wanted);
    expect(server.calls).toEqual(wanted === null ? [name] : []);
  });

  test('find a secret in the metadata of a request', async () => {
    await start(await shown());
    const session = await openSession(sekisho);
    const heard = await session.ask('tools/call', { name: 'up__run', arguments: {}, _meta: { 'x.io/note': token } });
    expect(refusalIn(heard.answer.result)?.codes).toEqual(['SECRET_LEAVES']);
    expect(server.calls).toEqual([]);
  });

  test('hide no tool from a list, in which no argument is known yet', async () => {
    await start(await shown());
    expect(itemsOf(await (await openSession(sekisho)).ask('tools/list'), 'tools')).toHaveLength(3);
  });

  test('leave no secret in the log of decisions, the audit, or what the gateway says', async () => {
    await start(await shown(), { log: { path: folder.at('log.jsonl') } });
    await codesOf('run', { anything: token });
    await sekisho.gateway.close();
    const decisions = await readFile(folder.at('log.jsonl'), 'utf8');
    expect(decisions).toContain('"secrets":[{"part":"arguments","pointer":"/anything","kind":"github_token"}]');
    const audit = await readFile(join(sekisho.gateway.config.state, 'audit', 'audit.jsonl'), 'utf8');
    for (const text of [decisions, audit, JSON.stringify(sekisho.log)]) expect(text).not.toContain(token);
  });
});

test('a rule about commands permits what is known, and nothing that a shell would make more of', async () => {
  const rules = `package sekisho

import future.keywords.not

deny contains {"code": "COMMAND", "message": $"a command of class {command.class}"} if {
	some command in input.facts.commands
	not command.class in {"read", "vcs_read"}
}
`;
  await start(rules);
  expect(await codesOf('run', { line: 'git log -1' })).toBeNull();
  expect(await codesOf('run', { line: 'git log; rm -rf /' })).toEqual(['COMMAND']);
  expect(await codesOf('run', { line: ['git', 'push'] })).toEqual(['COMMAND']);
  expect(server.calls).toEqual(['run']);
});

describe('a rule about branches', () => {
  const protects =
    'package sekisho\n\ndeny contains {"code": "PROTECTED", "message": "m"} if {\n\tsome one in input.facts.branches\n\tone.branch in {"main", null}\n}\n';

  test.each<[JsonObject, unknown]>([
    [{ branch: 'topic' }, null],
    [{ branch: 'refs/heads/main' }, ['PROTECTED']],
    [{}, ['PROTECTED']],
    [{ branch: 'topic', line: 'git push origin HEAD:main' }, ['PROTECTED']],
    [{ branch: 'topic', line: 'git push origin other' }, null],
    [{ branch: ['topic', 7] }, 'arguments_invalid'],
  ])('%j', async (args, wanted) => {
    await start(protects);
    expect(await codesOf('run', args)).toEqual(wanted);
  });

  test('hides no tool from a list', async () => {
    await start(protects);
    expect(itemsOf(await (await openSession(sekisho)).ask('tools/list'), 'tools')).toHaveLength(3);
  });
});
