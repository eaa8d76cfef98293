import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import type { Resolve } from '#gateway/adapters/egress/egress.ts';
import { startEverything } from '#test/support/everything-upstream.ts';
import { startGateway } from '#test/support/gateway.ts';
import { openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const tools = { '*': { action: 'read' } };

async function complaintsAbout(url: string, egress: object = {}): Promise<readonly string[]> {
  const config = {
    version: 1,
    identity: { development: true },
    policy: { path: 'p' },
    egress,
    servers: { up: { tier: 'public', url } },
  };
  await using folder = await scratchFolder({ 'gateway.yaml': stringify(config) });
  const loaded = await loadConfig(folder.at('gateway.yaml'), {});
  return isConfigErrors(loaded) ? loaded.issues.map((issue) => showIssue(issue)) : [];
}

test.each([
  ...['http://169.254.169.254', 'http://localhost', 'http://0', 'http://0177.0.0.1', 'http://2130706433'],
  ...['http://[::ffff:127.0.0.1]', 'http://127.0.0.1:9000/mcp', 'https://10.0.0.1/mcp'],
])('F1: a server at %s is refused before the gateway starts', async (url) => {
  expect((await complaintsAbout(url)).join()).toContain(
    'servers.up.url – is no address that the gateway may connect to',
  );
});

test('F1: what is opened starts, what cannot be opened does not', async () => {
  expect(await complaintsAbout('http://127.0.0.1:9000/mcp', { private: ['127.0.0.1'] })).toEqual([]);
  expect((await complaintsAbout('https://a.test', { private: ['169.254.0.0/16'] })).join()).toContain(
    '"169.254.0.0/16" is not a private range',
  );
  expect((await complaintsAbout('https://a.test', { private: ['0.0.0.0/0'] })).join()).toContain(
    'is not a private range',
  );
});

/** A gateway whose one server has the name `localhost`, and a resolver that says what `answers` holds now. */
async function aRebindingPair() {
  const upstream = await startEverything();
  onTestFinished(() => upstream.close());
  const answers = ['127.0.0.1'];
  const resolve: Resolve = async () => answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const url = upstream.url.replace('127.0.0.1', 'localhost');
  const sekisho = await startGateway({ servers: { up: { tier: 'internal', url, tools } } }, { resolve });
  onTestFinished(() => sekisho.close());
  return { upstream, sekisho, answers, resolve };
}

test.each([
  ['loopback that was not opened', ['127.0.0.2']],
  ['cloud metadata', ['169.254.169.254']],
  ['6to4', ['2002:7f00:1::']],
  ['NAT64', ['64:ff9b::7f00:1']],
  ['NAT64, local', ['64:ff9b:1::7f00:1']],
  ['site-local', ['fec0::1']],
  ['public and private at once', ['127.0.0.1', '93.184.216.34']],
])('F3, F4: a name that was good when it was first asked and becomes %s is not dialled', async (_, later) => {
  const { sekisho, answers } = await aRebindingPair();
  const session = await openSession(sekisho);
  expect(textOf(await session.call('up__echo', { message: 'hi' }, 'first'))).toBe('hi');
  answers.splice(0, answers.length, ...later);
  // Connections that stand were checked; every new one is judged by what the name is now. A run of its own opens one.
  const calls = Array.from({ length: 8 }, async (_, i) => {
    const own = await openSession(sekisho);
    return own.call('up__wait', { ms: 300 }, `later-${i}`);
  });
  const reasons = (await Promise.all(calls)).map((message) => reasonOf(message));
  expect(reasons.filter((reason) => reason === 'upstream_unreachable').length).toBeGreaterThan(0);
  const lines = (await sekisho.audit()).filter(({ reason }) => reason === 'upstream_unreachable');
  expect(lines.length).toBe(reasons.filter((reason) => reason === 'upstream_unreachable').length);
  // The operator reads where it led to; whoever called does not.
  expect(JSON.stringify(sekisho.log)).toContain(later[0]);
  expect(JSON.stringify(await Promise.all(calls))).not.toContain(later[0]);
});

test.each([301, 302, 307, 308])(
  'F5: HTTP %i of a server is not followed, and its credential is not sent on',
  async (status) => {
    const reached: string[] = [];
    const listen = async (listener: RequestListener): Promise<string> => {
      const server = createServer(listener);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    };
    const inside = await listen((request, answer) => {
      reached.push(String(request.headers.authorization));
      answer.end('{}');
    });
    const url = await listen((_, answer) => answer.writeHead(status, { location: inside }).end());
    const credential = { kind: 'static', secret: 'only-for-tickets' };
    const sekisho = await startGateway({ servers: { up: { tier: 'internal', url, credential, tools } } });
    onTestFinished(() => sekisho.close());
    const [state] = sekisho.gateway.snapshots.states();
    expect(state?.note).toContain('Redirects are not followed');
    expect(reached).toEqual([]);
    expect(JSON.stringify([sekisho.log, await sekisho.metrics()])).not.toContain('only-for-tickets');
  },
);
