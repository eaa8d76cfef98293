import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { anOpenServer, startGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  type Heard,
  result,
  type Scene,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { openSession, textOf } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** `jwt_assertion`: what the gateway signs of each caller, for a server that believes the gateway. */

const fine = result({ content: [{ type: 'text', text: 'done' }] });
const gatewayUrl = 'http://127.0.0.1:7410/mcp';

async function serving(scene: Scene = fine, sign: () => { privateKey: KeyObject; publicKey: KeyObject } = ed25519) {
  await using folder = await scratchFolder();
  const { privateKey, publicKey } = sign();
  const file = folder.at('assertion.pem');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const sockets = new Map<string, Set<number>>();
  const upstream = await startHostileUpstream({
    'server/discover': ({ response }) => response.writeHead(404).end(),
    initialize: ({ response, message }) => answerInitialize(response, message, null, { tools: {} }),
    'tools/list': result({ tools: [{ name: 'create', inputSchema: { type: 'object' } }] }),
    'tools/call': (hostile) => {
      const credential = hostile.request.headers.authorization ?? '';
      sockets.set(credential, (sockets.get(credential) ?? new Set()).add(hostile.socket));
      return scene(hostile);
    },
  });
  onTestFinished(() => upstream.close());
  const credential = { kind: 'jwt_assertion', assertion_key: file };
  const sekisho = await startGateway({
    ...{ url: gatewayUrl, servers: { tickets: anOpenServer(upstream.url, { credential }) } },
  });
  onTestFinished(() => sekisho.close());
  const said = async (heard: Heard | undefined) => {
    const token = heard?.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const { payload } = await jwtVerify(token, publicKey, {
      audience: upstream.url,
      issuer: new URL(gatewayUrl).origin,
    });
    return { token, payload, header: decodeProtectedHeader(token) };
  };
  const calls = () => upstream.heard.filter(({ message }) => message.method === 'tools/call');
  return { upstream, sekisho, said, calls, sockets };
}

const ed25519 = () => generateKeyPairSync('ed25519');

test('a server hears who calls in which run, signed by the gateway for a minute, and nothing of the caller’s token', async () => {
  const { upstream, sekisho, said, calls } = await serving();
  const token = await sekisho.token({ subject: 'ada', run: 'r1', groups: ['developers'] });
  expect(textOf(await (await openSession(sekisho, { token })).call('tickets__create'))).toBe('done');
  const { payload, header } = await said(calls()[0]);
  expect(payload).toMatchObject({ sub: 'ada', run: { id: 'r1' }, act: { sub: 'run:r1' }, client_id: 'sekisho' });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  expect(header).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.any(String) });
  for (const { headers } of upstream.heard) expect(headers.authorization).not.toContain(token.split('.')[2]);
});

test('the gateway looks at the server as itself, and as nobody in particular', async () => {
  const { upstream, said } = await serving();
  const looks = upstream.heard.filter(({ message }) => message.method === 'tools/list');
  const heard = (await Promise.all(looks.map(said))).map(({ payload }) => payload);
  const own = heard.filter(({ sub }) => sub === 'sekisho');
  expect([own.length > 0, own.length * 2]).toEqual([true, heard.length]);
  expect(own[0]).not.toHaveProperty('run');
});

test('two callers share neither what is said of them nor a connection, and one is signed for once', async () => {
  const { sekisho, said, calls, sockets } = await serving();
  const callers = [
    { subject: 'ada', run: 'r1' },
    { subject: 'grace', run: 'r2' },
    { subject: 'ada', run: 'r3' },
  ];
  for (const caller of callers) {
    const session = await openSession(sekisho, { token: await sekisho.token({ ...caller, groups: ['developers'] }) });
    for (const id of [1, 2]) await session.call('tickets__create', {}, id);
  }
  const heard = await Promise.all(calls().map(said));
  expect(heard.map(({ payload }) => [payload.sub, (payload.run as { id: string }).id])).toEqual(
    callers.flatMap(({ subject, run }) => [
      [subject, run],
      [subject, run],
    ]),
  );
  expect(new Set(heard.map(({ token }) => token)).size).toBe(3);
  const used = [...sockets.values()].flatMap((one) => [...one]);
  expect(new Set(used).size).toBe(used.length);
});

test('what the server does not take is signed anew, once', async () => {
  let turned = false;
  const { sekisho, calls } = await serving((hostile) => {
    if (turned) return fine(hostile);
    turned = true;
    return hostile.response.writeHead(401).end();
  });
  expect(textOf(await (await openSession(sekisho)).call('tickets__create'))).toBe('done');
  expect(new Set(calls().map(({ headers }) => headers.authorization)).size).toBe(2);
});

test.each([
  ['RSA of 2048 bits', 'RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['P-256', 'ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
])('a key of %s signs with %s', async (_, alg, make) => {
  const { upstream, said } = await serving(fine, make);
  expect((await said(upstream.heard.at(-1))).header).toMatchObject({ alg });
});

test('nothing that the gateway writes down holds what it signed', async () => {
  const { sekisho, said, calls } = await serving();
  await (await openSession(sekisho)).call('tickets__create');
  const { token } = await said(calls()[0]);
  const written = JSON.stringify([sekisho.log, await sekisho.audit(), await sekisho.metrics()]);
  expect(written).not.toContain(token.split('.')[2]);
});
