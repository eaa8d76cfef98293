import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createEgress, type Resolve } from '#gateway/adapters/egress/egress.ts';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import { openedRanges } from '#gateway/core/egress.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { accept, answerInitialize, answerJson } from '#test/support/hostile-upstream.ts';
import { anEitherUpstream, anUpstreamCall, refusalOf, resultOf } from '#test/support/http-upstreams.ts';
import { createPrivateCa, type PrivateCa, startTlsServer } from '#test/support/tls-server.ts';

const name = 'mcp.test';
let authority: PrivateCa;
beforeAll(async () => {
  authority = await createPrivateCa(name);
});

/** A server behind TLS, up to 2025-11-25, that writes down what reaches it. */
async function aTlsServer(certified = authority) {
  const heard: { readonly verb: string; readonly method: unknown; readonly credential: string | undefined }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const message = request.method === 'POST' ? ((await json(request)) as JsonObject) : {};
    const { method: verb = '', headers } = request;
    heard.push({ verb, method: message.method, credential: headers.authorization });
    if (message.method === 'initialize') return answerInitialize(response, message, 'a-session');
    if (message.method !== 'tools/call') return void accept(response);
    answerJson(response, { jsonrpc: '2.0', id: message.id, result: { content: [] } });
  };
  const server = await startTlsServer(certified, (request, response) => void answer(request, response));
  onTestFinished(() => server.close());
  return { ...server, heard };
}

const local: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];

/** The upstream of a gateway that believes this authority; how names become addresses is the test's. */
function dialling(url: string, { resolve = local, ca = authority.ca }: { resolve?: Resolve; ca?: string | null } = {}) {
  const egress = createEgress({ opened: openedRanges(['127.0.0.1']), resolve });
  return anEitherUpstream(url, {
    ...{ pinned: 'legacy', credential: fixedCredential('the-gateways-own') },
    egress: { ...egress, connector: (options) => egress.connector({ ...options, ca }) },
  });
}

describe('a server behind TLS', () => {
  test('is spoken to at the address its name was looked up to, under its name', async () => {
    const server = await aTlsServer();
    const names: string[] = [];
    const resolve: Resolve = async (asked) => {
      names.push(asked);
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const { upstream } = dialling(`https://${name}:${server.port}/mcp`, { resolve });
    expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ content: [] });
    await upstream.close();
    expect(names).toEqual(Array(names.length).fill(name));
    expect(server.heard.map(({ verb, method }) => method ?? verb)).toEqual([
      ...['initialize', 'notifications/initialized', 'tools/call', 'DELETE'],
    ]);
    expect(server.heard.every(({ credential }) => credential === 'Bearer the-gateways-own')).toBe(true);
  });

  test.each([
    ['of another name', async () => createPrivateCa('other.test'), (own: PrivateCa) => own.ca, 'does not match'],
    ['of an authority that is not believed', async () => authority, () => null, 'not believed'],
  ] as const)('with a certificate %s is sent nothing', async (_, certify, believed, says) => {
    const certified = await certify();
    const server = await aTlsServer(certified);
    const { upstream } = dialling(`https://${name}:${server.port}/mcp`, { ca: believed(certified) });
    const refused = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refused).toMatchObject({ refused: 'upstream_unreachable', detail: expect.stringContaining(says) });
    expect(refused.detail).not.toContain('127.0.0.1');
    expect(server.connections()).toBeGreaterThan(0);
    expect(server.heard).toEqual([]);
  });

  test.each([
    ['a metadata service', ['169.254.169.254']],
    ['a private address that was not opened', ['10.66.77.88']],
    ['a public address and this machine', ['1.1.1.1', '127.0.0.1']],
    ['this machine, mapped into IPv6', ['::ffff:127.0.0.1']],
  ])('whose name becomes %s is not dialled', async (_, addresses) => {
    const server = await aTlsServer();
    const resolve: Resolve = async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const { upstream } = dialling(`https://${name}:${server.port}/mcp`, { resolve });
    const refused = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refused).toMatchObject({
      refused: 'upstream_unreachable',
      detail: expect.stringContaining('may not connect'),
    });
    for (const address of addresses) expect(JSON.stringify(refused)).not.toContain(address);
    expect(server.connections()).toBe(0);
  });
});
