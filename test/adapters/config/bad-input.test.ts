import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const head = 'version: 1\npolicy: { path: policies }\nidentity: { development: true }\n';
const server = (lines: string): string => `${head}servers:\n  github:\n    tier: partner\n${lines}`;

/** Every complaint about the files, the first of which is gateway.yaml, with their paths as seen from its folder. */
async function complaints(files: Record<string, string>, env: Record<string, string> = {}): Promise<readonly string[]> {
  await using folder = await scratchFolder(files);
  const loaded = await loadConfig(folder.at('gateway.yaml'), env);
  if (!isConfigErrors(loaded)) return [];
  return loaded.issues.map((issue) => showIssue(issue).replaceAll(join(folder.path, '/'), ''));
}

test.each([
  ['an unknown key', `${head}lisen: {}\n`, '4:1 lisen – unknown key "lisen": did you mean "listen"?'],
  [
    'an unknown key far down',
    server('    url: https://x.test/mcp\n    limits: { tiemout: 3s }\n'),
    '8:15 servers.github.limits.tiemout – unknown key "tiemout": did you mean "timeout"?',
  ],
  [
    'an unknown key that resembles nothing',
    `${head}admin: { zebra: 1 }\n`,
    '4:10 admin.zebra – unknown key "zebra": known here: host, port',
  ],
  [
    'an unknown key of a credential',
    server('    url: https://x.test/mcp\n    credential: { kind: static, secret: a, scret: b }\n'),
    '8:44 servers.github.credential.scret – unknown key "scret": did you mean "secret"?',
  ],
  [
    'a server URL that is not http(s)',
    server('    url: ftp://x.test/mcp\n'),
    '7:10 servers.github.url – "ftp://x.test/mcp" is not an http(s) URL',
  ],
  [
    'a word that is not one of the choices',
    `${head}servers:\n  github:\n    tier: parner\n    url: https://x.test\n`,
    '6:11 servers.github.tier – "parner" is not one of internal, partner, public, local, quarantined: did you mean "partner"?',
  ],
  [
    'a missing choice',
    `${head}servers:\n  github:\n    url: https://x.test\n`,
    '5:3 servers.github.tier – is missing: give one of internal, partner, public, local, quarantined',
  ],
  ['a missing key', 'version: 1\nidentity: { development: true }\npolicy: {}\n', '3:1 policy.path – is missing'],
  ['a missing map', 'version: 1\nidentity: { development: true }\n', '1:1 policy – is missing'],
  ['another version', head.replace('1', '2'), '1:10 version – expected 1, got "2"'],
  [
    'a server id in capitals',
    `${head}servers:\n  GitHub: { tier: public, url: https://x.test }\n`,
    '5:3 servers.GitHub – a server id is 1 to 12 of a-z, 0-9 and -',
  ],
  [
    'a server with both an URL and a command',
    server('    url: https://x.test\n    command: [x]\n'),
    '5:3 servers.github – give either "url" or "command"',
  ],
  ['a server with neither', server(''), '5:3 servers.github – give either "url" or "command"'],
  ['a server that is nothing', `${head}servers:\n  github:\n`, '5:10 servers.github – expected a map, got nothing'],
  [
    'a duration without a unit',
    server('    url: https://x.test\n    limits: { timeout: "30" }\n'),
    '8:24 servers.github.limits.timeout – "30" is not a duration: write 30s or 8h',
  ],
  ['a size as a number', `${head}limits: { body: 4096 }\n`, '4:17 limits.body – expected a text, got 4096'],
  ['a number as a text', `${head}listen: { port: "7410" }\n`, '4:17 listen.port – expected a number, got a text'],
  ['half a port', `${head}listen: { port: 74.5 }\n`, '4:17 listen.port – expected a whole number, got 74.5'],
  ['a port that is none', `${head}listen: { port: 70000 }\n`, '4:17 listen.port – must be at most 65535'],
  ['a limit below its least', `${head}limits: { depth: 1 }\n`, '4:18 limits.depth – must be at least 4'],
  ['an empty command', server('    command: []\n'), '7:14 servers.github.command – must not be empty'],
  ['a list instead of a map', `${head}servers: [a]\n`, '4:10 servers – expected a map, got a list'],
  [
    'a pointer without a slash',
    server('    url: https://x.test\n    tools:\n      a: { action: read, paths: [path] }\n'),
    '9:34 servers.github.tools.a.paths[0] – expected a JSON pointer such as /path',
  ],
  [
    'an unknown kind of credential',
    server('    url: https://x.test\n    credential: { kind: basic }\n'),
    '8:25 servers.github.credential.kind – "basic" is not one of none, static, client_credentials, token_exchange, jwt_assertion',
  ],
  [
    'a credential for a program',
    server('    command: [x]\n    credential: { kind: static, secret: s }\n'),
    '8:5 servers.github.credential – is for a server with a "url": give a program its secret under "env"',
  ],
  [
    'an environment for a URL',
    server('    url: https://x.test\n    env: { A: b }\n'),
    '8:5 servers.github.env – is for a server with a "command"',
  ],
  [
    'a working directory for a URL',
    server('    url: https://x.test\n    cwd: .\n'),
    '8:10 servers.github.cwd – is for a server with a "command"',
  ],
])('refuses %s', async (_, text, complaint) => {
  expect(await complaints({ 'gateway.yaml': text })).toEqual([`gateway.yaml:${complaint}`]);
});

test.each([
  ['a key given twice', `${head}state: a\nstate: b\n`, '5:1 – this key is given twice'],
  [
    'a key given twice, once quoted',
    `${head}servers: { 1: {}, "1": {} }\n`,
    '4:19 servers.1 – this key is given twice',
  ],
  ['two documents', `${head}---\na: 1\n`, '4:1 – a file holds one YAML document'],
  ['tabs', `${head}admin:\n\tport: 1\n`, '5:1 – indent with spaces, not with tabs'],
  ['a tag', `${head}state: !secret x\n`, '4:8 – Unresolved tag: !secret'],
  ['binary data', `${head}state: !!binary aGk=\n`, '4:17 state – a value is a text, a number, true, false or null'],
  ['a list as a key', `${head}? [a]\n: b\n`, '4:3 – a key is a plain word'],
  ['__proto__', `${head}servers: { __proto__: {} }\n`, '4:12 servers.__proto__ – this key is not allowed'],
  ['an unknown anchor', `${head}state: *nowhere\n`, '4:8 state – there is no anchor &nowhere'],
  ['YAML 1.1', `%YAML 1.1\n---\n${head}`, '1:1 – this is read as YAML 1.2, and not as 1.1'],
  ['an empty file', '', '1:1 – expected a map, got nothing'],
  ['a list', '- 1\n', '1:1 – expected a map, got a list'],
  ['an anchor inside itself', `${head}servers: &a { b: *a }\n`, /^4:\d+ servers(\.b)+ – nested deeper than 32$/],
  ['deep nesting', `${'['.repeat(50_000)}\n`, /^1:\d+ – nested too deeply$/],
  ['a huge file', `# ${'x'.repeat(1024 * 1024)}\n`, '1:1 – the file is larger than 1 MiB'],
])('refuses %s', async (_, text, complaint) => {
  const found = (await complaints({ 'gateway.yaml': text }))[0]?.replace('gateway.yaml:', '');
  if (typeof complaint === 'string') expect(found).toBe(complaint);
  else expect(found).toMatch(complaint);
});

test('refuses an alias bomb without expanding it', async () => {
  const bomb = [...'bcdefgh'].map((name, index) => {
    const before = `*${String.fromCharCode(97 + index)}`;
    return `${name}: &${name} [${Array(9).fill(before).join(', ')}]`;
  });
  const found = await complaints({ 'gateway.yaml': `a: &a [x]\n${bomb.join('\n')}\n` });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/more than 100 aliases$/);
});

test('says everything that is wrong at once, in every file', async () => {
  const found = await complaints({
    'gateway.yaml': 'version: 1\ninclude: [servers/*.yaml]\nlisen: {}\nstate: ${env:NOWHERE}\n',
    'servers/a.yaml': 'servers:\n  a: { tier: public, url: nope }\n',
    'servers/b.yaml': 'server:\n  b: {}\n',
  });
  expect(found).toEqual([
    'gateway.yaml:4:8 state – the environment has no NOWHERE: set it, or write ${env:NOWHERE:-default}',
    'servers/a.yaml:2:27 servers.a.url – "nope" is not an http(s) URL',
    'servers/b.yaml:1:1 server – unknown key "server": did you mean "servers"?',
    'gateway.yaml:1:1 policy – is missing',
    'gateway.yaml:3:1 lisen – unknown key "lisen": did you mean "listen"?',
  ]);
});

test('says that a file is not there', async () => {
  await using folder = await scratchFolder();
  const loaded = await loadConfig(folder.at('gateway.yaml'), {});
  expect(isConfigErrors(loaded) && loaded.issues.map(showIssue)).toEqual([
    `${folder.at('gateway.yaml')} – this file cannot be read (ENOENT)`,
  ]);
});
