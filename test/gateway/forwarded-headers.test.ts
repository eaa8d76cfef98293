import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  type HostileUpstream,
  result,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { leftBy } from '#test/support/left-by.ts';
import { openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { postLines, sendRaw } from '#test/support/raw-http.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** A13, A14: what a caller writes into headers that proxies and gateways speak in. Nobody here believes any of it. */

const rates = `package sekisho

decision := {"grant": [{"id": "all"}], "deny": [], "approve": [], "warn": [], "obligations": obligations}

obligations contains {"id": "rate", "type": "rate_limit", "properties": limit} if input.tool.name == "rated"

limit := {"key": "run+tool", "per_min": 3}
`;

const forwarded: Record<string, string> = {
  'x-forwarded-for': '203.0.113.77',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-port': '4430',
  'x-real-ip': '203.0.113.77',
  forwarded: 'for=203.0.113.77;host=evil.example;proto=https',
  via: '1.1 evil.example',
};

const internal: Record<string, string> = {
  'x-sekisho-principal': 'root-of-all',
  'x-sekisho-run': 'run-of-another',
  'x-sekisho-tiers': 'internal',
  'x-sekisho-approved': 'true',
  'mcp-init-host': 'evil.example',
  'router-key': 'router-secret-value',
  'x-mcp-authorized': 'true',
  'x-mcp-auth': 'Bearer upstream-credential',
  'x-forwarded-user': 'root-of-all',
  'x-forwarded-groups': 'admins',
  'x-envoy-original-path': '/mcp/server/hidden',
  'x-original-url': '/mcp/server/hidden',
  'x-http-method-override': 'DELETE',
};

let upstream: HostileUpstream;
let sekisho: TestGateway;
let policies: Awaited<ReturnType<typeof scratchFolder>>;
let token: string;

beforeAll(async () => {
  const tool = (name: string) => ({ name, inputSchema: { type: 'object' } });
  upstream = await startHostileUpstream({
    'server/discover': ({ response }) => response.writeHead(404).end(),
    initialize: ({ response, message }) => answerInitialize(response, message, null, { tools: {} }),
    'tools/list': result({ tools: [tool('open'), tool('rated')] }),
    'tools/call': result({ content: [{ type: 'text', text: 'done' }] }),
  });
  policies = await scratchFolder({ 'rates.rego': rates });
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) }, policy: { path: policies.path } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await policies?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  token = await sekisho.token({ subject: 'ada', run: `r-${Math.random()}` });
  upstream.heard.length = 0;
});

const aCall = (name: string) => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
  params: { name: `up__${name}`, arguments: {} },
});
const hello = {
  ...{ jsonrpc: '2.0', id: 0, method: 'initialize' },
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand', version: '1' } },
};

/** Each value stands for itself: any place that shows it has believed it, or passed it on. */
const valuesOf = (headers: Record<string, string>): string[] =>
  Object.values(headers).filter((value) => /evil|203|root|another|secret|credential|hidden|admins/.test(value));

test.each([
  ['of proxies (A13)', forwarded],
  ['of other gateways, and of our own making (A14)', internal],
])('headers %s make nobody of a caller without a token', async (_, headers) => {
  const { got, lines } = await leftBy(sekisho, () => sekisho.post(hello, headers), []);
  expect([got.status, lines.map(({ reason }) => reason)]).toEqual([401, ['token_missing']]);
  expect(got.headers.get('www-authenticate')).toBe('Bearer realm="sekisho"');
  expect(upstream.heard).toEqual([]);
  const written = JSON.stringify([lines, sekisho.log, await got.text(), await sekisho.metrics()]);
  for (const value of valuesOf(headers)) expect(written).not.toContain(value);
});

test.each([
  ['of proxies (A13)', forwarded],
  ['of other gateways, and of our own making (A14)', internal],
])('headers %s change nothing of who calls what, and no server hears of them', async (_, headers) => {
  const session = await openSession(sekisho, { token });
  const plain = await leftBy(sekisho, () => session.call('up__open'), []);
  upstream.heard.length = 0;
  const sent = () => sekisho.post(aCall('open'), { ...session.headers, ...headers });
  const { got, lines, leaks } = await leftBy(sekisho, sent, [token]);
  expect([got.status, leaks]).toEqual([200, []]);
  // One record, of the same principal in the same run, as if none of them had been there.
  const who = ({ principal, run, server, tool, view, outcome }: Record<string, unknown>) => ({
    ...{ principal, run, server, tool, view, outcome },
  });
  expect(lines.map(who)).toEqual(plain.lines.map(who));
  expect(lines).toHaveLength(1);
  expect(upstream.heard.map(({ message }) => message.method)).toEqual(['tools/call']);
  for (const name of Object.keys(headers)) expect(upstream.heard[0]?.headers).not.toHaveProperty(name);
  const written = JSON.stringify([lines, sekisho.log, upstream.heard, await sekisho.metrics()]);
  for (const value of valuesOf(headers)) expect(written).not.toContain(value);
});

test('a caller that says to come from somewhere else each time is held to the same rate (A13)', async () => {
  const session = await openSession(sekisho, { token });
  const reasons: unknown[] = [];
  for (let n = 0; n < 5; n++) {
    const from = {
      'x-forwarded-for': `203.0.113.${n}`,
      'x-real-ip': `203.0.113.${n}`,
      forwarded: `for=203.0.113.${n}`,
    };
    const answer = await sekisho.post(aCall('rated'), { ...session.headers, ...from });
    const text = await answer.text();
    reasons.push(/"reason":"([a-z_]+)"/.exec(text)?.[1] ?? null);
  }
  expect(reasons).toEqual([null, null, null, 'rate_limited', 'rate_limited']);
  expect(upstream.count('tools/call')).toBe(3);
});

test('a Host that is not ours is refused, whatever a forwarding header says it was (A13)', async () => {
  const body = JSON.stringify(hello);
  const headers = { authorization: `Bearer ${token}`, 'x-forwarded-host': '127.0.0.1', host: 'evil.example' };
  const lines = postLines('/mcp', body.length, headers);
  const { got, lines: audit, leaks } = await leftBy(sekisho, () => sendRaw(sekisho.origin, lines, body), [token]);
  expect([got.status, audit.map(({ reason }) => reason), leaks]).toEqual([403, ['origin_forbidden'], []]);
});

test('a header that is named as one of a hop is not one that takes another away (C10)', async () => {
  const session = await openSession(sekisho, { token });
  const body = JSON.stringify(aCall('open'));
  const hop = { connection: 'authorization, mcp-session-id, mcp-protocol-version' };
  const answer = await sendRaw(sekisho.origin, postLines('/mcp', body.length, { ...session.headers, ...hop }), body);
  expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('done')]);
  expect(reasonOf(await session.call('up__open'))).toBeNull();
  expect(textOf(await session.call('up__open'))).toBe('done');
});
