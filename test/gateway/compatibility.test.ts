import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { legacyPeer, modernPeer, type Peer } from '#test/support/peers.ts';
import {
  type Cell,
  type ClientEra,
  clients,
  compatibility,
  type Feature,
  type ServerKind,
  servers,
} from '../../docs/compatibility-table.ts';

/** Every cell of docs/compatibility.md, with the official SDKs on both sides of the gateway. */

const stopped = new Map<string, number>();
const page = { mode: 'url', message: 'Sign in there.', url: 'https://example.com/', elicitationId: 'e-1' };
const tool = (run: Tool['run']): Tool => ({ description: 'For tests.', inputSchema: { type: 'object' }, run });
const tools = (server: string): Record<string, Tool> => ({
  ask_roots: tool(async (_args, { ask }) => ({
    content: [{ type: 'text', text: JSON.stringify((await ask('roots/list', {})).roots) }],
  })),
  ask_page: tool(async (_args, { ask }) => ({
    content: [{ type: 'text', text: String((await ask('elicitation/create', page)).action) }],
  })),
  until_stopped: tool(async (_args, { notify, signal }) => {
    await notify({ method: 'notifications/message', params: { level: 'info', data: 'started' } });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    stopped.set(server, (stopped.get(server) ?? 0) + 1);
    return { content: [] };
  }),
});

const numbers: Tool = {
  description: 'Answers with a list, as only the newer era may.',
  inputSchema: { type: 'object' },
  outputSchema: { type: 'array', items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'integer' } } },
  run: () => ({ content: [{ type: 'text', text: '[1,2]' }], structuredContent: [1, 2] }),
};
const legacyTools = tools('legacy');
let legacy: EverythingUpstream;
let modern: DualUpstream;
let sekisho: TestGateway;

beforeAll(async () => {
  legacy = await startEverything(legacyTools);
  modern = await startDual('modern', { ...tools('modern'), numbers });
  const common = { tier: 'internal', tools: { '*': { action: 'read' } } };
  sekisho = await startGateway({
    servers: {
      legacy: { ...common, url: legacy.url },
      parked: { ...common, url: legacy.url, elicitation: 'park' },
      modern: { ...common, url: modern.url },
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await legacy?.close();
  await modern?.close();
});

/** Throws or fails its expectations when the feature does not work between this client and this server. */
const proofs: Record<Feature, (peer: Peer, server: ServerKind) => Promise<void>> = {
  async 'tool calls'(peer) {
    expect(await peer.call('echo', { message: 'hi' })).toEqual({ text: 'hi', isError: false });
  },
  async 'elicitation (forms)'(peer) {
    expect((await peer.call('test_elicitation', { message: 'Who?' })).text).toMatch(/accept.*Ann/);
  },
  async 'elicitation (pages)'(peer) {
    expect((await peer.call('ask_page')).text).toBe('accept');
  },
  async sampling(peer) {
    expect((await peer.call('test_sampling', { prompt: 'Capital?' })).text).toBe('LLM response: Paris');
  },
  async roots(peer) {
    expect((await peer.call('ask_roots')).text).toContain('file:///home/ann');
  },
  async progress(peer) {
    const progress = vi.fn();
    await peer.call('test_tool_with_progress', {}, { progress });
    expect(progress).toHaveBeenCalledTimes(3);
  },
  async 'log messages'(peer) {
    await peer.call('test_tool_with_logging');
    expect(peer.heard).toEqual(Array(3).fill('notifications/message'));
  },
  async cancellation(peer, server) {
    const at = server === 'modern' ? 'modern' : 'legacy';
    const before = stopped.get(at) ?? 0;
    const stop = new AbortController();
    const call = peer.call('until_stopped', {}, { signal: stop.signal });
    const ended = expect(call).rejects.toThrow();
    await vi.waitFor(() => expect(peer.heard).toContain('notifications/message'));
    stop.abort();
    await ended;
    await vi.waitFor(() => expect(stopped.get(at)).toBe(before + 1));
  },
  async 'resource subscriptions'(peer, server) {
    await peer.watch('test://watched-resource');
    if (server === 'modern') modern.tellUpdated('test://watched-resource');
    await vi.waitFor(() => expect(peer.heard).toContain('notifications/resources/updated'), 5_000);
  },
  async 'list changes'(peer, server) {
    await peer.watch('test://watched-resource');
    const added = server === 'modern' ? modern.added : legacyTools;
    // One that no server had before: only what agents can list counts as a change.
    added[`new_${Object.keys(added).length}`] = tool(() => ({ content: [] }));
    if (server === 'modern') modern.tellChanged();
    else await legacy.tellChanged();
    await vi.waitFor(() => expect(peer.heard).toContain('notifications/tools/list_changed'), 5_000);
  },
  async 'resource templates'(peer) {
    expect(JSON.stringify(await peer.read('test://template/7/data'))).toContain('Data for ID: 7');
  },
  async prompts(peer) {
    expect(await peer.prompt('test_simple_prompt')).toMatchObject({ messages: [{ role: 'user' }] });
  },
  async completion(peer) {
    const completed = await peer.complete('test_prompt_with_arguments', 'arg1', 'part');
    expect(completed).toMatchObject({ completion: { values: ['party'] } });
  },
  async 'pages of Apps'(peer) {
    expect(await peer.list()).toContain('test_app');
    expect(JSON.stringify(await peer.read('ui://everything/clock.html'))).toContain('text/html;profile=mcp-app');
  },
};

const cells = Object.entries(compatibility).flatMap(([feature, byClient]) =>
  Object.entries(byClient).flatMap(([client, byServer]) =>
    Object.entries(byServer).map(([server, cell]) => ({ feature, client, server, cell })),
  ),
) as { feature: Feature; client: ClientEra; server: ServerKind; cell: Cell }[];

describe('between eras', () => {
  test.each(cells)('$feature: $client client, $server server: $cell', async ({ feature, client, server, cell }) => {
    const peer = await (client === 'legacy' ? legacyPeer : modernPeer)(
      new URL(`/mcp/server/${server}`, sekisho.origin),
      await sekisho.token(),
    );
    onTestFinished(() => peer.close());
    if (cell === 'works') return proofs[feature](peer, server);
    const name = { 'elicitation (forms)': 'test_elicitation', sampling: 'test_sampling', roots: 'ask_roots' };
    const refused = await peer.call(name[feature as keyof typeof name] ?? 'ask_page', { message: 'x', prompt: 'x' });
    expect(refused).toEqual({ isError: true, text: expect.stringContaining('before it asked has happened') });
  });

  test.each(Object.entries({ legacy: legacyPeer, modern: modernPeer }))(
    'a %s client lists and calls a tool whose output is no object, and its schema holds',
    async (_, connect) => {
      const peer = await connect(new URL('/mcp/server/modern', sekisho.origin), await sekisho.token());
      onTestFinished(() => peer.close());
      expect(await peer.list()).toContain('numbers');
      expect(await peer.call('numbers')).toEqual({ text: '[1,2]', isError: false });
    },
  );

  test('there is a cell for every pair of clients and servers', () => {
    const pairs = Object.keys(clients).length * Object.keys(servers).length;
    expect(cells.length).toBe(pairs * Object.keys(compatibility).length);
  });
});
