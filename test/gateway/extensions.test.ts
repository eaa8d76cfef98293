import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { answerInitialize, startHostileUpstream } from '#test/support/hostile-upstream.ts';
import { askModern, envelope, openSession } from '#test/support/messages.ts';

/** What either side declares of extensions, and what the other one hears of it. */

const ui = 'io.modelcontextprotocol/ui';
const pages = { [ui]: { mimeTypes: ['text/html;profile=mcp-app'] } };
/** None of these is relayed: their methods would be refused. */
const unknown = { 'io.modelcontextprotocol/skills': {}, 'com.example/x': { deep: [1] } };
const declared = { extensions: { ...pages, ...unknown }, experimental: { y: {} } };

const clients = {
  newer: async (sekisho: TestGateway, name: string) => {
    const token = await sekisho.token();
    const { answer } = await askModern(sekisho, 'server/discover', {}, { token });
    await askModern(sekisho, 'tools/call', { name, arguments: {} }, { token, meta: envelope(declared) });
    return answer.result?.capabilities;
  },
  older: async (sekisho: TestGateway, name: string) => {
    const session = await openSession(sekisho, { capabilities: declared });
    await session.call(name);
    return session.agreed.answer.result?.capabilities;
  },
};

/** The capabilities that each request to the server came with. */
const heardBy: Record<'modern' | 'legacy', (params: Readonly<Record<string, unknown>>) => unknown> = {
  modern: ({ _meta: meta }) =>
    isJsonObject(meta as never) && (meta as JsonObject)['io.modelcontextprotocol/clientCapabilities'],
  legacy: ({ capabilities }) => capabilities,
};

describe.each(['modern', 'legacy'] as const)('before a server that speaks %s', (era) => {
  let sekisho: TestGateway;
  let heard: () => unknown[];
  beforeAll(async () => {
    const upstream = await startDual(era);
    sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
    heard = () => upstream.came.map(({ params }) => heardBy[era](params)).filter(isJsonObject as never);
    return async () => {
      await sekisho.close();
      await upstream.close();
    };
  });

  test.each(Object.entries(clients))(
    'a client of the %s era brings it to hear of pages, and of nothing else',
    async (_, call) => {
      const before = heard().length;
      const capabilities = await call(sekisho, 'up__test_simple_text');
      expect(capabilities).toMatchObject({ extensions: { [ui]: {} } });
      expect(Object.keys((capabilities as { extensions: object }).extensions)).not.toContain('com.example/x');
      const since = heard().slice(before);
      expect(since.length).toBeGreaterThan(0);
      expect(since).toContainEqual({ extensions: pages });
      for (const known of since) expect([{}, { extensions: pages }]).toContainEqual(known);
    },
  );
});

test.each(Object.entries(clients))(
  'what a server declares is not declared to a client of the %s era',
  async (_, call) => {
    const server = await startHostileUpstream({
      initialize: ({ response, message }) =>
        answerInitialize(response, message, 'a-session', {
          extensions: { ...pages, ...unknown },
          experimental: { z: {} },
        }),
    });
    onTestFinished(() => server.close());
    const sekisho = await startGateway({ servers: { up: anOpenServer(server.url) } });
    onTestFinished(() => sekisho.close());
    const capabilities = await call(sekisho, 'up__none');
    expect(capabilities).not.toHaveProperty('experimental');
    // It has no tool with a page either.
    expect(capabilities).not.toHaveProperty('extensions');
  },
);

test.each(['skills/list', 'skills/get', 'resources/directory/read', 'com.example/x'])(
  '%s is refused as unknown',
  async (method) => {
    const sekisho = await startGateway({});
    onTestFinished(() => sekisho.close());
    const token = await sekisho.token();
    expect((await askModern(sekisho, method, {}, { token })).answer.error).toMatchObject({ code: -32601 });
    expect((await (await openSession(sekisho, { token })).ask(method)).answer.error).toMatchObject({ code: -32601 });
  },
);
