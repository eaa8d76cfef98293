import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { itemsOf, openSession, reasonOf } from '#test/support/messages.ts';
import { type OpenIdProvider, startOpenIdProvider } from '#test/support/openid-provider.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

const resource = 'http://127.0.0.1:7410/mcp';
const metadata = 'http://127.0.0.1:7410/.well-known/oauth-protected-resource/mcp';

let folder: ScratchFolder;
let server: ListingServer;
let provider: OpenIdProvider;
let sekisho: TestGateway;

beforeEach(async () => {
  folder = await scratchFolder();
  const step = '{"id": "s", "type": "step_up", "properties": {"scope": "mcp:write"}}';
  const decision = 'decision := {"grant": [{"id": "all"}], "obligations": obligations}';
  const rule = `obligations contains ${step} if input.tool.name == "pay"`;
  await folder.write('policies/a.rego', `package sekisho\n\n${decision}\n\n${rule}\n`);
  [server, provider] = await Promise.all([
    startListing([aTool('pay'), aTool('look')]),
    startOpenIdProvider({ client: 'ide', resource, groups: () => [] }),
  ]);
  const keys = { ca: provider.caFile };
  const people = [{ id: 'idp', issuer: provider.url, audience: resource, keys, scopes: ['mcp:read'] }];
  sekisho = await startGateway({
    identity: { development: true, people },
    servers: { up: { tier: 'internal', url: server.url, tools: { '*': { action: 'read' } } } },
    policy: { path: folder.at('policies') },
  });
});
afterEach(async () => {
  await sekisho?.close();
  await server?.close();
  await provider?.close();
  await folder[Symbol.asyncDispose]();
});

const signedIn = async (scope: string) =>
  openSession(sekisho, { token: (await provider.signIn('ada', scope)).accessToken });

test('a person whose token lacks the scope is told which to sign in for (403), and passes once it is there', async () => {
  const session = await signedIn('mcp:read');
  const refused = await session.call('up__pay');
  expect([refused.status, reasonOf(refused)]).toEqual([403, 'scope_insufficient']);
  expect(refused.headers.get('www-authenticate')).toBe(
    `Bearer realm="sekisho", error="insufficient_scope", scope="mcp:read mcp:write", resource_metadata="${metadata}"`,
  );
  expect(reasonOf(await session.call('up__look'))).toBeNull();
  expect(server.calls).toEqual(['look']);
  expect(reasonOf(await (await signedIn('mcp:read mcp:write')).call('up__pay'))).toBeNull();
  expect(server.calls).toEqual(['look', 'pay']);
});

test('the tool is listed all the same, so that there is something to sign in for', async () => {
  expect(itemsOf(await (await signedIn('mcp:read')).ask('tools/list'), 'tools')).toHaveLength(2);
});

test('a run, which cannot sign in, is refused', async () => {
  const refused = await (await openSession(sekisho)).call('up__pay');
  expect(reasonOf(refused)).toBe('policy_unavailable');
  expect(server.calls).toEqual([]);
});
