import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  answerJson,
  type HostileUpstream,
  result,
  type Scene,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { askModern, type Heard, openSession, reasonOf } from '#test/support/messages.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

/** Files of skills (SEP-2640): hosts check their digests, so they arrive byte for byte or not at all. */

const secret = `ghp_${'a1B2'.repeat(9)}`;
const clean = '---\r\nname: "déjà\u2028vu"\ttabs \n---\n{"b": 1, "a": 1.0}\n';
const files: Readonly<Record<string, string>> = {
  'skill://vault/SKILL.md': `---\nname: vault\n---\ntoken: ${secret}\n`,
  'skill://plain/SKILL.md': clean,
  'notes://vault': `the token is ${secret}`,
  'notes://plain': clean,
};

const serving = (capabilities: JsonObject): Readonly<Record<string, Scene>> => ({
  initialize: ({ response, message }) => answerInitialize(response, message, 'a-session', capabilities),
  'resources/list': result({ resources: Object.keys(files).map((uri) => ({ uri, name: 'f' })) }),
  'resources/templates/list': result({ resourceTemplates: [] }),
  'resources/read': ({ response, message }) => {
    const { uri } = message.params as { uri: string };
    const contents = [{ uri, mimeType: 'text/markdown', text: files[uri] ?? '' }];
    answerJson(response, { jsonrpc: '2.0', id: message.id, result: { contents } });
  },
});

let folder: ScratchFolder;
let servers: HostileUpstream[];
let sekisho: TestGateway;

beforeAll(async () => {
  folder = await scratchFolder();
  const obligation = { id: 'r', type: 'redact', properties: { on: 'result', kinds: ['github_token'] } };
  const rules = [
    'package sekisho',
    'decision := {"grant": [{"id": "all"}], "obligations": obligations}',
    `obligations contains ${JSON.stringify(obligation)} if input.resource`,
    '',
  ];
  await folder.write('policies/a.rego', rules.join('\n\n'));
  servers = await Promise.all([
    startHostileUpstream(serving({ resources: {}, extensions: { 'io.modelcontextprotocol/skills': {} } })),
    startHostileUpstream(serving({ resources: {} })),
  ]);
  const [skilled, plain] = servers.map(({ url }) => anOpenServer(url));
  sekisho = await startGateway({ servers: { skilled, plain }, policy: { path: folder.at('policies') } });
});

afterAll(async () => {
  await sekisho?.close();
  for (const server of servers ?? []) await server.close();
  await folder?.[Symbol.asyncDispose]();
});

type Read = (server: string, uri: string) => Promise<Heard>;
const clients: Record<string, Read> = {
  newer: async (server, uri) =>
    askModern(sekisho, 'resources/read', { uri }, { token: await sekisho.token(), path: `/mcp/server/${server}` }),
  older: async (server, uri) =>
    (await openSession(sekisho, { path: `/mcp/server/${server}` })).ask('resources/read', { uri }),
};
const textOf = ({ answer }: Heard): unknown => (answer.result?.contents as { text?: string }[] | undefined)?.[0]?.text;

describe.each(Object.entries(clients))('a client of the %s era', (_, read) => {
  test.each([
    ['skilled', 'skill://plain/SKILL.md'],
    ['plain', 'skill://plain/SKILL.md'],
    ['skilled', 'notes://plain'],
  ])('gets from server %s every byte of %s', async (server, uri) => {
    expect(textOf(await read(server, uri))).toBe(clean);
  });

  test.each([
    ['skilled', 'skill://vault/SKILL.md'],
    ['plain', 'skill://vault/SKILL.md'],
    ['skilled', 'notes://vault'],
  ])('gets from server %s nothing of %s, since not all of it may be seen', async (server, uri) => {
    const answer = await read(server, uri);
    expect(reasonOf(answer)).toBe('answer_blocked');
    expect(JSON.stringify(answer.answer)).not.toContain('ghp_');
  });

  test('gets what cannot be of a skill without what must not be seen', async () => {
    const said = String(textOf(await read('plain', 'notes://vault')));
    expect(said).toMatch(/^the token is .+/);
    expect(said).not.toContain('ghp_');
  });
});
