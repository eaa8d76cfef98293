import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { createEgress, type Resolve } from '#gateway/adapters/egress/egress.ts';
import { openedRanges } from '#gateway/core/egress.ts';

/** A server that counts whoever reaches it, TCP included. */
async function aServer() {
  const heard: string[] = [];
  const server = createServer((incoming, answer) => {
    heard.push(`${incoming.method} ${incoming.headers.host}`);
    answer.end('here');
  });
  server.on('connection', () => heard.push('connection'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, heard };
}

function anAgent(options: {
  readonly opened: readonly string[];
  readonly resolve?: Resolve;
  readonly named?: boolean;
}) {
  const seen: string[] = [];
  const egress = createEgress({
    opened: openedRanges(options.opened),
    resolve: options.resolve,
    refused: (name, answers) => seen.push(`${name} ${answers.join(' ')}`),
  });
  const agent = new Agent({ connect: egress.connector({ timeout: 1000, opened: options.named ?? true }) });
  onTestFinished(() => agent.destroy());
  return { agent, seen };
}

const four = (...addresses: string[]): ReturnType<Resolve> =>
  Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

test('dials the address that was checked, with the name in the request', async () => {
  const { port, heard } = await aServer();
  const { agent } = anAgent({ opened: ['127.0.0.1'], resolve: () => four('127.0.0.1') });
  const { body } = await request(`http://tickets.test:${port}/`, { dispatcher: agent });
  expect(await body.text()).toBe('here');
  expect(heard).toEqual(['connection', `GET tickets.test:${port}`]);
});

test.each([
  ['a name for loopback', '127.0.0.1'],
  ['a name for cloud metadata', '169.254.169.254'],
  ['6to4', '2002:7f00:1::'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['NAT64, local', '64:ff9b:1::7f00:1'],
  ['site-local', 'fec0::1'],
  ['IPv4-mapped', '::ffff:127.0.0.1'],
])('dials nothing for %s', async (_, address) => {
  const { port, heard } = await aServer();
  const { agent, seen } = anAgent({ opened: [], resolve: () => four(address) });
  await expect(request(`http://tickets.test:${port}/`, { dispatcher: agent })).rejects.toMatchObject({
    code: 'EGRESS_REFUSED',
    message: 'the gateway may not connect to this address',
  });
  expect(heard).toEqual([]);
  expect(seen).toEqual([`tickets.test ${address}`]);
});

test.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0177.0.0.1', '0'])(
  'dials nothing for the address %s itself',
  async (host) => {
    const { port, heard } = await aServer();
    const { agent } = anAgent({ opened: [] });
    await expect(request(`http://${host}:${port}/`, { dispatcher: agent })).rejects.toMatchObject({
      code: 'EGRESS_REFUSED',
    });
    expect(heard).toEqual([]);
  },
);

test('one bad answer among good ones is enough', async () => {
  const { port, heard } = await aServer();
  const { agent } = anAgent({ opened: ['127.0.0.1'], resolve: () => four('127.0.0.1', '1.1.1.1') });
  await expect(request(`http://tickets.test:${port}/`, { dispatcher: agent })).rejects.toMatchObject({
    code: 'EGRESS_REFUSED',
  });
  expect(heard).toEqual([]);
});

test('a name that changes between check and connection gains nothing: it is asked once, and that answer is dialled', async () => {
  const { port, heard } = await aServer();
  const answers = ['127.0.0.1', '127.0.0.2'];
  let asked = 0;
  const resolve: Resolve = () => four(answers[asked++] ?? '127.0.0.2');
  const { agent } = anAgent({ opened: ['127.0.0.1'], resolve });
  const { body } = await request(`http://rebinds.test:${port}/`, { dispatcher: agent });
  await body.text();
  expect(asked).toBe(1);
  // The next connection asks again, and is judged by what it hears then.
  await agent.close();
  const { agent: later } = anAgent({ opened: ['127.0.0.1'], resolve });
  await expect(request(`http://rebinds.test:${port}/`, { dispatcher: later })).rejects.toMatchObject({
    code: 'EGRESS_REFUSED',
  });
  expect(heard.filter((one) => one === 'connection')).toHaveLength(1);
});

test('what the config opened is closed to a URL that a document named', async () => {
  const { port, heard } = await aServer();
  const { agent } = anAgent({ opened: ['127.0.0.1'], resolve: () => four('127.0.0.1'), named: false });
  await expect(request(`http://tickets.test:${port}/`, { dispatcher: agent })).rejects.toMatchObject({
    code: 'EGRESS_REFUSED',
  });
  expect(heard).toEqual([]);
});

test('a name that nobody knows is an ordinary failure', async () => {
  const unknown = Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  const { agent, seen } = anAgent({ opened: [], resolve: () => Promise.reject(unknown) });
  await expect(request('http://nowhere.test/', { dispatcher: agent })).rejects.toMatchObject({ code: 'ENOTFOUND' });
  expect(seen).toEqual([]);
});
