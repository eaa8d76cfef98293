import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { anOpenServer, startGateway } from '#test/support/gateway.ts';
import { answerJson, startHostileUpstream } from '#test/support/hostile-upstream.ts';
import { openSession } from '#test/support/messages.ts';
import { readSse } from '#test/support/sse-reader.ts';

const uri = 'test://told';
const event = (message: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;

test('who subscribed is told of a resource also where the server said something else before it agreed', async () => {
  const streams: ServerResponse[] = [];
  const result = (id: unknown, what: object) => ({ jsonrpc: '2.0', id, result: what });
  const server = await startHostileUpstream({
    initialize: ({ response, message }) =>
      answerJson(
        response,
        result(message.id, {
          ...{ protocolVersion: '2025-11-25', serverInfo: { name: 'h', version: '1' } },
          capabilities: { resources: { subscribe: true }, logging: {} },
        }),
      ),
    'resources/list': ({ response, message }) =>
      answerJson(response, result(message.id, { resources: [{ uri, name: 'told' }] })),
    'resources/templates/list': ({ response, message }) =>
      answerJson(response, result(message.id, { resourceTemplates: [] })),
    'resources/subscribe': ({ response, message }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(event({ method: 'notifications/message', params: { level: 'info', data: 'wait' } }));
      response.end(event({ id: message.id, result: {} }));
    },
    GET: ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.push(response);
    },
  });
  onTestFinished(() => server.close());
  const sekisho = await startGateway({ servers: { up: anOpenServer(server.url) } });
  onTestFinished(() => sekisho.close());
  const session = await openSession(sekisho);
  const reader = readSse(await session.stream());
  onTestFinished(() => reader.stop());
  expect((await session.ask('resources/subscribe', { uri })).answer.result).toEqual({});
  await vi.waitFor(() => {
    for (const stream of streams) stream.write(event({ method: 'notifications/resources/updated', params: { uri } }));
    expect(reader.messages.map(({ method }) => method)).toContain('notifications/resources/updated');
  }, 10_000);
});
