import { expect, test } from 'vitest';
import { type SignToken, tokenCommand } from '#gateway/cli/token.ts';
import { controlSocket } from '#test/support/control-socket.ts';
import { runVerbs } from '#test/support/run-cli.ts';

const unasked: SignToken = () => Promise.reject(new Error('not asked for'));

const run = (args: readonly string[], sign = unasked) =>
  runVerbs((shell) => [tokenCommand(shell, sign)], ['token', ...args]);

test('prints the token and nothing else on stdout', async () => {
  await using control = await controlSocket();
  expect(await run(['--socket', control.path])).toEqual({
    code: 0,
    out: 'h.p.s\n',
    err: 'run dev:1, good until 2026-09-21T14:28:20.000Z\n',
  });
  const ran = await run(['--json', '--socket', control.path]);
  expect(JSON.parse(ran.out)).toEqual({ token: 'h.p.s', run: 'dev:1', expires: 1_790_000_900_000 });
});

test('asks for exactly what was wished', async () => {
  await using control = await controlSocket();
  const wish = ['--subject', 'ada', '--run', 'ide:7', '--agent', 'rev', '--group', 'a', 'b', '--ttl', '5m'];
  await run([...wish, '--tool', 'files.*', '--tier', 'internal', '--calls', '5', '--socket', control.path]);
  expect(control.api.asked).toEqual([
    {
      subject: 'ada',
      run: 'ide:7',
      agent: 'rev',
      groups: ['a', 'b'],
      ttl: 300,
      tools: ['files.*'],
      tiers: ['internal'],
      calls: 5,
    },
  ]);
});

test('what the gateway would not mint is a mistake of usage', async () => {
  await using control = await controlSocket();
  const ran = await run(['--ttl', '1h', '--socket', control.path]);
  expect(ran).toMatchObject({ code: 2, out: '' });
  expect(ran.err).toContain('ttl');
});

test('signs with a key of its own, without a gateway', async () => {
  const orders: unknown[] = [];
  const sign: SignToken = async (order) => {
    orders.push(order);
    return { token: 'own', run: 'ci:1', expires: 1_790_000_300_000 };
  };
  const args = ['--key', 'k.jwk', '--issuer', 'https://ci.test', '--audience', 'https://mcp.test', '--run', 'ci:1'];
  expect(await run([...args, '--ttl', '5m'], sign)).toMatchObject({ code: 0, out: 'own\n' });
  expect(orders).toEqual([
    {
      keyFile: 'k.jwk',
      issuer: 'https://ci.test',
      audience: 'https://mcp.test',
      wish: { run: 'ci:1', ttl: 300 },
      now: 1_790_000_000_000,
    },
  ]);
});

test('a key alone is not enough', async () => {
  expect(await run(['--key', 'k.jwk'])).toEqual({
    code: 2,
    out: '',
    err: 'error: A token that is signed with --key needs --issuer and --audience.\n',
  });
});
