import { expect, test } from 'vitest';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const head = 'version: 1\npolicy: { path: p }\n';
const rule = 'the development identity is for loopback only';
const how = 'use 127.0.0.1, or name "signers" and turn development off';

async function load(text: string, env: Record<string, string> = {}): Promise<readonly string[] | 'good'> {
  await using folder = await scratchFolder({ 'gateway.yaml': head + text });
  const loaded = await loadConfig(folder.at('gateway.yaml'), env);
  if (!isConfigErrors(loaded)) return 'good';
  return loaded.issues.map((issue) => showIssue(issue).replaceAll(`${folder.path}/`, ''));
}

test.each([
  [
    'every address',
    'listen: { host: 0.0.0.0 }\nidentity: { development: true }\n',
    `3:17 listen.host – ${rule}, and this listens on "0.0.0.0": ${how}`,
  ],
  [
    'every IPv6 address',
    'listen: { host: "::" }\nidentity: { development: true }\n',
    `3:17 listen.host – ${rule}, and this listens on "::": ${how}`,
  ],
  [
    'a name that only begins like loopback',
    'listen: { host: 127.0.0.1.evil.test }\nidentity: { development: true }\n',
    `3:17 listen.host – ${rule}, and this listens on "127.0.0.1.evil.test": ${how}`,
  ],
  [
    'a public URL',
    'url: https://mcp.example.com\nidentity: { development: true }\n',
    `3:6 url – ${rule}, and "https://mcp.example.com" is not: ${how}`,
  ],
])('the development identity refuses %s', async (_, text, complaint) => {
  expect(await load(text)).toEqual([`gateway.yaml:${complaint}`]);
});

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '"::1"'])('the development identity takes %s', async (host) => {
  expect(await load(`listen: { host: ${host} }\nidentity: { development: true }\n`)).toBe('good');
});

test.each([
  ['nothing about identity', '', '1:1'],
  ['an empty identity', 'identity: {}\n', '3:1'],
  ['development off', 'identity: { development: false }\n', '3:1'],
])('refuses %s: nobody could call', async (_, text, place) => {
  expect(await load(text)).toEqual([
    `gateway.yaml:${place} identity – nobody could call: set "development: true" (loopback only), or name who signs run tokens under "signers"`,
  ]);
});

test('signers may listen anywhere', async () => {
  const signers = 'identity: { signers: [{ issuer: https://ci.test, jwks: keys.json }] }\n';
  expect(await load(`url: https://mcp.example.com\nlisten: { host: 0.0.0.0 }\n${signers}`)).toBe('good');
});

test('a host that came from the environment is not printed', async () => {
  const text = 'listen: { host: "${env:WHERE}" }\nidentity: { development: true }\n';
  expect(await load(text, { WHERE: '10.1.2.3' })).toEqual([
    `gateway.yaml:3:17 listen.host – ${rule}, and this listens on "\${env:WHERE}": ${how}`,
  ]);
});
