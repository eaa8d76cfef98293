import { describe, expect, test } from 'vitest';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import { metaKeys } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { UpstreamCall } from '#gateway/ports.ts';
import { beginEvents, type Hostile, result, type Scene } from '#test/support/hostile-upstream.ts';
import { aModernPair, anUpstreamCall, until } from '#test/support/http-upstreams.ts';

const subscribe = (uri: string, more: Partial<UpstreamCall> = {}) =>
  anUpstreamCall({ method: 'resources/subscribe', params: { uri }, limits: { firstByte: 300 }, ...more });
const unsubscribe = (call: UpstreamCall): UpstreamCall => ({ ...call, method: 'resources/unsubscribe' });

/** A server whose lists change and that tells of resources; `listen` is what becomes of a stream. */
async function aTeller(listen: Scene, credentialOf?: (caller: { readonly principal: string }) => string) {
  let standing = 0;
  const scene: Scene = (hostile) => {
    standing++;
    hostile.response.on('close', () => standing--);
    listen(hostile);
  };
  const pair = await aModernPair(
    {
      'server/discover': result({
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
      }),
      'tools/list': result({ tools: [] }),
      'resources/list': result({ resources: [] }),
      'resources/templates/list': result({ resourceTemplates: [] }),
      'subscriptions/listen': scene,
    },
    {
      limits: { ...anUpstreamCall().limits, firstByte: 300 },
      credential: fixedCredential('gateway'),
      ...(credentialOf ? { credentialOf: (caller) => fixedCredential(credentialOf(caller)) } : {}),
    },
  );
  await pair.upstream.live();
  await until(() => pair.server.count('subscriptions/listen') === 1);
  return { ...pair, standing: () => standing };
}

/** Agrees to all that is asked, and tells of this resource. */
const agrees =
  (tell: string | null = null): Scene =>
  ({ response, message }: Hostile) => {
    const write = beginEvents(response);
    const _meta = { [metaKeys.subscription]: message.id };
    const { notifications } = message.params as JsonObject;
    const method = 'notifications/subscriptions/acknowledged';
    write({ jsonrpc: '2.0', method, params: { notifications, _meta } });
    if (tell) write({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: tell, _meta } });
  };
const silent: Scene = ({ response }) => beginEvents(response);

describe('a server that never says what it will tell', () => {
  test('has two streams to hold at most, however many subscribe, and one when it had time to say', async () => {
    const { upstream, standing, server } = await aTeller(silent);
    const calls = Array.from({ length: 30 }, (_, i) => subscribe(`file:///${i}`));
    const answers = Promise.all(calls.map((call) => upstream.send(call)));
    let mostStanding = 0;
    const watch = setInterval(() => {
      mostStanding = Math.max(mostStanding, standing());
    }, 5);
    for (const answer of await answers) expect(answer).toMatchObject({ refusal: { refused: 'upstream_invalid' } });
    await until(() => standing() === 1);
    clearInterval(watch);
    // Those that were given up are still closing while the next arrive.
    expect(mostStanding).toBeLessThan(15);
    expect(server.count('subscriptions/listen')).toBeGreaterThan(2);
  });

  test('holds none any more when the gateway closes', async () => {
    const { upstream, standing } = await aTeller(silent);
    const asked = upstream.send(subscribe('file:///a'));
    await until(() => standing() === 2);
    await upstream.close();
    await asked;
    await until(() => standing() === 0);
  });
});

test('who asked while another filter was not agreed to yet is told by the next that is', async () => {
  let late: (() => void)[] = [];
  const { upstream } = await aTeller((hostile) => {
    late.push(() => agrees()(hostile));
  });
  late = [];
  const first = upstream.send(subscribe('file:///a'));
  await until(() => late.length === 1);
  const second = upstream.send(subscribe('file:///b'));
  await until(() => late.length === 2);
  late[1]?.();
  expect([(await first).kind, (await second).kind]).toEqual(['result', 'result']);
});

describe('where each caller has a credential of its own', () => {
  const ownCredential = ({ principal }: { readonly principal: string }) => `of-${principal}`;
  const listens = ({ server }: Awaited<ReturnType<typeof aTeller>>) =>
    server.heard
      .filter(({ message }) => message.method === 'subscriptions/listen')
      .map(({ headers, message }) => [
        String(headers.authorization).replace('Bearer ', ''),
        (message.params as JsonObject).notifications,
      ]);

  test('it subscribes with that, and the gateway with its own only to the lists', async () => {
    const teller = await aTeller(agrees('file:///a'), ownCredential);
    const { upstream, notices } = teller;
    for (const principal of ['ada', 'grace']) {
      expect((await upstream.send(subscribe(`file:///${principal}`, { principal }))).kind).toBe('result');
    }
    expect(listens(teller)).toEqual([
      ['gateway', { toolsListChanged: true }],
      ['of-ada', { resourceSubscriptions: ['file:///ada'] }],
      ['of-grace', { resourceSubscriptions: ['file:///grace'] }],
    ]);
    await until(() => notices.some(({ kind }) => kind === 'updated'));
  });

  test('a resource that the server shows to one of them is not told to another', async () => {
    const onlyAda: Scene = (hostile) =>
      hostile.request.headers.authorization === 'Bearer of-grace'
        ? hostile.response.writeHead(403).end()
        : agrees()(hostile);
    const { upstream } = await aTeller(onlyAda, ownCredential);
    const call = (principal: string) => upstream.send(subscribe('file:///secret', { principal }));
    expect((await call('ada')).kind).toBe('result');
    expect(await call('grace')).toMatchObject({ refusal: { refused: 'upstream_invalid' } });
  });

  test('its stream ends when it wants to hear of nothing any more, and the others go on', async () => {
    const { upstream, standing } = await aTeller(agrees(), ownCredential);
    const [ada, grace] = ['ada', 'grace'].map((principal) => subscribe('file:///a', { principal }));
    for (const call of [ada, grace]) if (call) await upstream.send(call);
    await until(() => standing() === 3);
    if (ada) await upstream.send(unsubscribe(ada));
    await until(() => standing() === 2);
    await upstream.close();
    await until(() => standing() === 0);
  });
});
