import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { startAuthorizationServer } from '#test/support/authorization-server.ts';
import { anOpenServer, startGateway } from '#test/support/gateway.ts';
import { answerInitialize, type Heard, result, startHostileUpstream } from '#test/support/hostile-upstream.ts';
import { openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** `token_exchange`: for each caller a token of an authorization server, for what the gateway says of the caller. */

const secret = 'kept-in-a-file';

async function serving() {
  await using folder = await scratchFolder();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = folder.at('assertion.pem');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const client = { client_id: 'sekisho', client_secret: secret };
  const authorization = await startAuthorizationServer(client, 600, publicKey);
  onTestFinished(() => authorization.close());
  const upstream = await startHostileUpstream({
    'server/discover': ({ response }) => response.writeHead(404).end(),
    initialize: ({ response, message }) => answerInitialize(response, message, null, { tools: {} }),
    'tools/list': result({ tools: [{ name: 'create', inputSchema: { type: 'object' } }] }),
    'tools/call': result({ content: [{ type: 'text', text: 'done' }] }),
  });
  onTestFinished(() => upstream.close());
  const { issuer, caFile: ca } = authorization;
  const by = { client: 'sekisho', secret, scope: ['tickets:read'] };
  const credential = { kind: 'token_exchange', issuer, ca, ...by, assertion_key: file };
  const sekisho = await startGateway({ servers: { tickets: anOpenServer(upstream.url, { credential }) } });
  onTestFinished(() => sekisho.close());
  const tokenOf = (heard: Heard | undefined) => heard?.headers.authorization?.replace(/^Bearer /, '') ?? '';
  const calls = () => upstream.heard.filter(({ message }) => message.method === 'tools/call');
  const session = async (subject: string, run: string) => {
    const token = await sekisho.token({ subject, run, groups: ['developers'] });
    return openSession(sekisho, { token });
  };
  return { authorization, upstream, sekisho, tokenOf, calls, session };
}

test('a server hears a token of its authorization server for each caller, got once, and none of the caller’s', async () => {
  const { authorization, upstream, sekisho, tokenOf, calls, session } = await serving();
  const before = authorization.asked();
  for (const [subject, run] of [
    ['ada', 'r1'],
    ['grace', 'r2'],
  ] as const) {
    const open = await session(subject, run);
    for (const id of [1, 2, 3]) expect(textOf(await open.call('tickets__create', {}, id))).toBe('done');
    for (const { headers } of upstream.heard) expect(headers.authorization).not.toContain(open.token.split('.')[2]);
  }
  expect(authorization.asked()).toBe(before + 2);
  const proven = await Promise.all(calls().map((heard) => authorization.verify(tokenOf(heard), upstream.url)));
  expect(proven.map(({ sub }) => sub)).toEqual(['ada', 'ada', 'ada', 'grace', 'grace', 'grace']);
  expect(proven[0]).toMatchObject({ act: { sub: 'run:r1' }, client_id: 'sekisho', scope: 'tickets:read' });
  const written = JSON.stringify([sekisho.log, await sekisho.audit(), await sekisho.metrics()]);
  for (const one of [secret, ...calls().map(tokenOf)]) expect(written).not.toContain(one);
});

test('the gateway looks at the server with a token for itself', async () => {
  const { authorization, upstream, tokenOf } = await serving();
  const list = upstream.heard.find(({ message }) => message.method === 'tools/list');
  expect(await authorization.verify(tokenOf(list), upstream.url)).toMatchObject({ sub: 'sekisho' });
});

test('a caller for whom there is no token is refused, and the others are not', async () => {
  const { authorization, upstream, sekisho, session } = await serving();
  const [ada, grace] = [await session('ada', 'r1'), await session('grace', 'r2')];
  await ada.call('tickets__create');
  const denied: RequestListener = (_, response) =>
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"error":"invalid_target","why":"ada@secret"}');
  authorization.answer(denied);
  const heard = upstream.heard.length;
  const refused = await grace.call('tickets__create');
  expect(reasonOf(refused)).toBe('credential_unavailable');
  expect(JSON.stringify(refused.answer)).toContain('HTTP 400 (invalid_target)');
  expect(JSON.stringify([refused.answer, sekisho.log])).not.toContain('ada@secret');
  expect(upstream.heard.length).toBe(heard);
  expect(textOf(await ada.call('tickets__create'))).toBe('done');
  expect((await sekisho.audit()).filter(({ reason }) => reason === 'credential_unavailable')).toHaveLength(1);
});
