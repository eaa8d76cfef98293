import { expect, test } from 'vitest';
import { runCli } from '#test/support/run-cli.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

test('the shipped config is good', async () => {
  expect(await runCli(['validate'])).toEqual({
    code: 0,
    out: 'ok: config/gateway.yaml: 2 servers (everything, files)\n',
    err: '',
  });
});

test('a broken config exits with 3 and says file, line, column and what to do, on stderr', async () => {
  await using folder = await scratchFolder({ 'gateway.yaml': 'version: 1\nlisen: {}\npolicy: { path: p }\n' });
  expect(await runCli(['validate', 'gateway.yaml'], { cwd: folder.path })).toEqual({
    code: 3,
    out: '',
    err: `error: something is wrong with gateway.yaml:
gateway.yaml:2:1 lisen – unknown key "lisen": did you mean "listen"?
Every key: docs/configuration.md
`,
  });
});

test('the same for a program', async () => {
  await using folder = await scratchFolder({ 'gateway.yaml': 'version: 1\nlisen: {}\npolicy: { path: p }\n' });
  const ran = await runCli(['validate', 'gateway.yaml', '--json'], { cwd: folder.path });
  expect(ran.code).toBe(3);
  expect(JSON.parse(ran.out)).toEqual({
    ok: false,
    file: 'gateway.yaml',
    issues: [
      {
        file: 'gateway.yaml',
        line: 2,
        column: 1,
        path: 'lisen',
        message: 'unknown key "lisen": did you mean "listen"?',
      },
    ],
  });
  expect(JSON.parse(ran.err).error.exit).toBe(3);
});

test('a config that is not there is one that is invalid', async () => {
  await using folder = await scratchFolder();
  const ran = await runCli(['validate', 'none.yaml'], { cwd: folder.path });
  expect(ran).toMatchObject({ code: 3, out: '' });
  expect(ran.err).toContain('none.yaml – this file cannot be read (ENOENT)');
});

test('a complaint about a hostile file cannot speak to the terminal', async () => {
  await using folder = await scratchFolder({ 'gateway.yaml': '"\\e]0;owned\\a": 1\n' });
  const ran = await runCli(['validate', 'gateway.yaml'], { cwd: folder.path });
  expect(ran.err).toContain('unknown key "\\u{1b}]0;owned\\u{7}"');
  expect(ran.err).not.toContain('\u001b');
});

test('warns, and is content', async () => {
  const text = 'version: 1\npolicy: { path: p }\nidentity: { development: true }\n';
  await using folder = await scratchFolder({ 'gateway.yaml': text });
  expect(await runCli(['validate'], { cwd: folder.path })).toEqual({
    code: 0,
    out: 'ok: gateway.yaml: 0 servers ()\n',
    err: 'warning: gateway.yaml servers – there are none: nothing can be called\n',
  });
});

test('prints the effective config without secrets', async () => {
  const server = '{ tier: partner, url: https://x.test, credential: { kind: static, secret: "${env:S}" } }';
  const text = `version: 1\npolicy: { path: p }\nidentity: { development: true }\nservers: { x: ${server} }\n`;
  await using folder = await scratchFolder({ 'gateway.yaml': text });
  const plain = await runCli(['config', 'print'], { cwd: folder.path, env: { S: 'hunter2' } });
  expect(plain).toMatchObject({ code: 0, err: '' });
  expect(plain.out).toContain('secret: ${env:S}');
  expect(plain.out).toContain('host: 127.0.0.1');
  const json = await runCli(['config', 'print', '--json'], { cwd: folder.path, env: { S: 'hunter2' } });
  expect(JSON.parse(json.out).policy.path).toBe(folder.at('p'));
  expect(plain.out + json.out).not.toContain('hunter2');
});
