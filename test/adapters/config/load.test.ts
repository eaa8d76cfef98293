import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { type LoadedConfig, loadConfig } from '#gateway/adapters/config/load.ts';
import { findState } from '#gateway/adapters/config/state.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const head = 'version: 1\npolicy: { path: ../policies }\nidentity: { development: true }\n';
const root = join(import.meta.dirname, '../../..');

function good(loaded: Awaited<ReturnType<typeof loadConfig>>): LoadedConfig {
  if (isConfigErrors(loaded)) throw new Error(loaded.issues.map(showIssue).join('\n'));
  return loaded;
}

test('fills in every default', async () => {
  await using folder = await scratchFolder({ 'etc/gateway.yaml': head });
  const { config, warnings } = good(await loadConfig(folder.at('etc/gateway.yaml'), {}));
  expect(config).toMatchObject({
    url: 'http://127.0.0.1:7410',
    listen: { host: '127.0.0.1', port: 7410, hosts: [], origins: [] },
    admin: { host: '127.0.0.1', port: 7411 },
    tiers: { public: { answer: 256 * 1024, manifest: 'snapshot' }, partner: { manifest: 'signed' } },
    budgets: { run: { calls: 1000, bytes: 256 * 1024 ** 2 } },
    limits: { body: 4 * 1024 ** 2, sessions: 8 * 3_600_000 },
    audit: { on_failure: 'block' },
  });
  expect(config.store).toEqual({ kind: 'sqlite' });
  expect(warnings).toEqual(['servers – there are none: nothing can be called']);
});

test('one key of a tier leaves the others as they are', async () => {
  await using folder = await scratchFolder({ 'gateway.yaml': `${head}tiers: { public: { answer: 1MiB } }\n` });
  const { config } = good(await loadConfig(folder.at('gateway.yaml'), {}));
  expect(config.tiers.public).toEqual({ answer: 1024 ** 2, manifest: 'snapshot' });
});

test('a relative path starts at the folder of the file it stands in', async () => {
  await using folder = await scratchFolder({
    'etc/gateway.yaml': `${head}include: [more/*.yaml]
state: ../state
store: { kind: sqlite, path: db/state.db }
audit: { path: /var/audit }
servers:
  main: { tier: internal, command: [./bin/x, ./y], cwd: here, roots: { w: ../w } }
`,
    'etc/more/other.yaml': `servers:
  other:
    tier: partner
    command: [x]
    cwd: there
    roots: { w: ./w }
    manifest: { file: m.json, keys: ../k.json }
`,
  });
  const { config } = good(await loadConfig(folder.at('etc/gateway.yaml'), {}));
  expect(config.policy.path).toBe(folder.at('policies'));
  expect(config.state).toBe(folder.at('state'));
  expect(config.store.path).toBe(folder.at('etc/db/state.db'));
  expect(config.audit.path).toBe('/var/audit');
  expect(config.servers.main).toMatchObject({
    command: ['./bin/x', './y'],
    cwd: folder.at('etc/here'),
    roots: { w: folder.at('w') },
  });
  expect(config.servers.other).toMatchObject({
    cwd: folder.at('etc/more/there'),
    roots: { w: folder.at('etc/more/w') },
    manifest: { file: folder.at('etc/more/m.json'), keys: folder.at('etc/k.json') },
  });
});

test('includes files in the order of the patterns, sorted, each once', async () => {
  const one = (id: string): string => `servers:\n  ${id}: { tier: public, url: https://${id}.test }\n`;
  await using folder = await scratchFolder({
    'gateway.yaml': `${head}include: [last.yaml, "servers/*.yaml", "servers/a.*"]\n${one('own')}`,
    'last.yaml': one('last'),
    'servers/b.yaml': one('b'),
    'servers/a.yaml': one('a'),
    'servers/note.txt': 'not yaml: [',
  });
  const { config } = good(await loadConfig(folder.at('gateway.yaml'), {}));
  expect(Object.keys(config.servers)).toEqual(['own', 'last', 'a', 'b']);
});

test('interpolates in an included file, from its own folder', async () => {
  await using folder = await scratchFolder({
    'gateway.yaml': `${head}include: [servers/*.yaml]\n`,
    'servers/a.yaml': 'servers:\n  a: { tier: internal, command: [x], env: { K: "${file:key}" } }\n',
    'servers/key': 'hunter2\n',
  });
  const loaded = good(await loadConfig(folder.at('gateway.yaml'), {}));
  expect(loaded.config.servers.a?.env).toEqual({ K: 'hunter2' });
  expect(JSON.stringify(loaded.redacted())).not.toContain('hunter2');
});

test('refuses one server id in two files, and names both places', async () => {
  await using folder = await scratchFolder({
    'gateway.yaml': `${head}include: [a.yaml, b.yaml]\nservers:\n  x: { tier: public, url: https://x.test }\n`,
    'a.yaml': 'servers:\n  y: { tier: public, url: https://y.test }\n  x: { tier: local, command: [x] }\n',
    'b.yaml': '# second\nservers:\n    y: { tier: local, command: [y] }\n',
  });
  const loaded = await loadConfig(folder.at('gateway.yaml'), {});
  const found = isConfigErrors(loaded) ? loaded.issues.map((i) => showIssue(i).replaceAll(`${folder.path}/`, '')) : [];
  expect(found).toEqual([
    'a.yaml:3:3 servers.x – stands in gateway.yaml:6:3 already',
    'b.yaml:3:5 servers.y – stands in a.yaml:2:3 already',
  ]);
});

test.each([
  ['a file that is not there', '[none.yaml]', 'include[0] – there is no file none.yaml'],
  ['the file itself', '["*.yaml"]', 'include[0] – *.yaml is this file itself'],
])('refuses to include %s', async (_, include, complaint) => {
  await using folder = await scratchFolder({ 'gateway.yaml': `${head}include: ${include}\n` });
  const loaded = await loadConfig(folder.at('gateway.yaml'), {});
  const found = isConfigErrors(loaded) ? loaded.issues.map((i) => showIssue(i).replaceAll(`${folder.path}/`, '')) : [];
  expect(found).toEqual([`gateway.yaml:4:11 ${complaint}`]);
});

test('an included file cannot set anything but servers', async () => {
  await using folder = await scratchFolder({
    'gateway.yaml': `${head}include: [a.yaml]\n`,
    'a.yaml': 'policy: { path: /evil }\nservers: {}\n',
  });
  const loaded = await loadConfig(folder.at('gateway.yaml'), {});
  const found = isConfigErrors(loaded) ? loaded.issues.map((i) => showIssue(i).replaceAll(`${folder.path}/`, '')) : [];
  expect(found).toEqual(['a.yaml:1:1 policy – unknown key "policy": known here: servers']);
});

test('warns of a pattern without files, and of a URL with another port', async () => {
  await using folder = await scratchFolder({
    'gateway.yaml': `${head}include: ["servers/*.yaml"]\nlisten: { port: 7500 }\n`,
  });
  const { warnings } = good(await loadConfig(folder.at('gateway.yaml'), {}));
  expect(warnings).toEqual([
    'include[0] – no file matches servers/*.yaml',
    'servers – there are none: nothing can be called',
    'url – names another port than listen.port: clients will not find the gateway',
  ]);
});

test('an anchor may be used many times, each value on its own', async () => {
  await using folder = await scratchFolder({
    'gateway.yaml': `${head}servers:
  a: { tier: public, url: https://a.test, limits: &slow { timeout: 5m } }
  b: { tier: public, url: https://b.test, limits: *slow }
`,
  });
  const { config } = good(await loadConfig(folder.at('gateway.yaml'), {}));
  expect(config.servers.b?.limits.timeout).toBe(300_000);
});

test('every YAML file in config/ is good, without a warning', async () => {
  const files = (await readdir(join(root, 'config'), { recursive: true })).filter((name) => name.endsWith('.yaml'));
  const whole = files.filter((name) => !name.startsWith('servers/'));
  expect(whole).toContain('gateway.yaml');
  for (const name of whole) expect(good(await loadConfig(join(root, 'config', name), {})).warnings).toEqual([]);
});

test('finds the state directory of a file that is otherwise broken', async () => {
  await using folder = await scratchFolder({
    'a.yaml': 'state: ../${env:WHERE:-there}\nurl: ${env:NONE}\nwhat: is this\n',
    'b.yaml': 'version: 1\n',
    'c.yaml': 'state: ${env:NONE}\n',
  });
  expect(await findState(folder.at('a.yaml'), {})).toBe(join(folder.path, '../there'));
  expect(await findState(folder.at('b.yaml'), {})).toBe(folder.at('.sekisho'));
  expect(await findState(folder.at('c.yaml'), {})).toMatchObject({ issues: [{ line: 1, column: 8, path: 'state' }] });
  expect(await findState(folder.at('d.yaml'), {})).toMatchObject({ issues: [{ line: null }] });
});
