import { expect, test } from 'vitest';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { type LoadedConfig, loadConfig } from '#gateway/adapters/config/load.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

const head = 'version: 1\npolicy: { path: p }\nidentity: { development: true }\n';

const program = (value: string): string =>
  `${head}servers:\n  x:\n    tier: internal\n    command: [x]\n    env:\n      V: ${value}\n`;

async function load(folder: ScratchFolder, text: string, env: Record<string, string>): Promise<LoadedConfig> {
  const loaded = await loadConfig(await folder.write('gateway.yaml', text), env);
  if (isConfigErrors(loaded)) throw new Error(loaded.issues.map(showIssue).join('\n'));
  return loaded;
}

async function complaints(text: string, env: Record<string, string> = {}, files = {}): Promise<readonly string[]> {
  await using folder = await scratchFolder(files);
  const loaded = await loadConfig(await folder.write('gateway.yaml', text), env);
  return isConfigErrors(loaded) ? loaded.issues.map((i) => showIssue(i).replaceAll(`${folder.path}/`, '')) : [];
}

test.each([
  ['${env:NAME}', 'value'],
  ['"${env:NAME}"', 'value'],
  ["'a ${env:NAME} b ${env:NAME}'", 'a value b value'],
  ['${env:NONE:-fallback}', 'fallback'],
  ['${env:EMPTY:-fallback}', 'fallback'],
  ['"${env:NONE:-}"', ''],
  ['"${env:NONE:-a:-b}"', 'a:-b'],
  ['$${env:NAME}', '${env:NAME}'],
  ['$${env:NAME} ${env:NAME}', '${env:NAME} value'],
  ['a$b $NAME $$ $', 'a$b $NAME $$ $'],
  ['${file:secret.txt}', 'from a file'],
  ['|-\n        a ${env:NAME}\n        b', 'a value\nb'],
])('reads %s as %j', async (written, value) => {
  await using folder = await scratchFolder({ 'secret.txt': 'from a file\n' });
  const { config } = await load(folder, program(written), { NAME: 'value', EMPTY: '' });
  expect(config.servers.x?.env.V).toBe(value);
});

test('reads a file by its absolute path', async () => {
  await using folder = await scratchFolder({ 'deep/secret': 'hidden\r\n' });
  const { config } = await load(folder, program(`\${file:${folder.at('deep/secret')}}`), {});
  expect(config.servers.x?.env.V).toBe('hidden');
});

test('a value cannot become a second value, a key, or another interpolation', async () => {
  await using folder = await scratchFolder();
  const sly = '"]\nadmin: { port: 1 } # ${env:OTHER}';
  const { config } = await load(folder, program('${env:SLY}'), { SLY: sly, OTHER: 'x' });
  expect(config.servers.x?.env.V).toBe(sly);
  expect(config.admin.port).toBe(7411);
});

test('a key is not interpolated', async () => {
  await using folder = await scratchFolder();
  const text = program('v').replace('V:', '"${env:NAME}":');
  const { config } = await load(folder, text, { NAME: 'value' });
  expect(config.servers.x?.env).toEqual({ '${env:NAME}': 'v' });
});

test('reads a text from outside as the number or the boolean that is asked for', async () => {
  await using folder = await scratchFolder();
  const text =
    'version: 1\npolicy: { path: p }\nlisten: { port: "${env:PORT}" }\nidentity: { development: "${env:DEV}" }\n';
  const { config } = await load(folder, text, { PORT: '7412', DEV: 'true' });
  expect(config.listen.port).toBe(7412);
  expect(config.identity.development).toBe(true);
});

test('a secret of digits stays a text', async () => {
  await using folder = await scratchFolder();
  const { config } = await load(folder, program('${env:PIN}'), { PIN: '0123' });
  expect(config.servers.x?.env.V).toBe('0123');
});

test.each([
  ['${env:NONE}', 'the environment has no NONE: set it, or write ${env:NONE:-default}'],
  [
    '${NAME}',
    '"${NAME}" is not known here: write ${env:NAME}, ${env:NAME:-default} or ${file:/path}; a literal ${ is written $${',
  ],
  [
    '${env:NA ME}',
    '"${env:NA ME}" is not known here: write ${env:NAME}, ${env:NAME:-default} or ${file:/path}; a literal ${ is written $${',
  ],
  ['${file:/no/such/file}', 'the file /no/such/file cannot be read (ENOENT)'],
  ['${file:.}', 'the file . cannot be read (EISDIR)'],
  ['${file:huge}', 'the file huge is larger than 64 KiB'],
])('refuses %s', async (written, complaint) => {
  expect(await complaints(program(`'${written}'`), { NAME: 'x' }, { huge: 'x'.repeat(65 * 1024) })).toEqual([
    `gateway.yaml:9:10 servers.x.env.V – ${complaint}`,
  ]);
});

test.each([
  ['listen: { port: "${env:V}" }', '4:17 listen.port – expected a number, got a text'],
  ['limits: { body: "${env:V}" }', '4:17 limits.body – "${env:V}" is not a size: write 256KiB or 8MiB'],
  ['url: "${env:V}"', '4:6 url – "${env:V}" is not an http(s) URL'],
  ['url: "http://${env:V} /"', '4:6 url – "http://${env:V} /" is not an http(s) URL'],
  ['store: { kind: "${env:V}" }', '4:16 store.kind – expected sqlite, got "${env:V}"'],
])('never prints a value from outside: %s', async (line, complaint) => {
  const found = await complaints(`${head}${line}\n`, { V: 'hunter2' });
  expect(found).toEqual([`gateway.yaml:${complaint}`]);
});

test('what is shown of a config holds no secret', async () => {
  await using folder = await scratchFolder({ token: 'hunter2\n' });
  const text = `${head}
state: \${env:STATE}
servers:
  a: { tier: partner, url: "https://me:hunter2@a.test/mcp", credential: { kind: static, secret: "\${file:token}" } }
  b: { tier: partner, url: https://b.test, credential: { kind: static, secret: hunter2 } }
  c: { tier: internal, command: [c, "--key=\${file:token}"], env: { KEY: hunter2, OTHER: "x\${file:token}" } }
`;
  const loaded = await load(folder, text, { STATE: 'there' });
  const shown = JSON.stringify(loaded.redacted());
  expect(shown).not.toContain('hunter2');
  expect(loaded.redacted()).toMatchObject({
    state: '${env:STATE}',
    servers: {
      a: { url: 'https://***@a.test/mcp', credential: { kind: 'static', secret: '${file:token}' } },
      b: { credential: { secret: '***' } },
      c: { command: ['c', '--key=${file:token}'], env: { KEY: '***', OTHER: 'x${file:token}' } },
    },
  });
  expect(loaded.config.servers.a?.credential).toEqual({ kind: 'static', secret: 'hunter2' });
  expect(loaded.config.state).toBe(folder.at('there'));
});
