import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DualUpstream, type Eras, startDual } from '#test/support/everything-dual.ts';

/** What the tests of both eras stand on: a server that answers in exactly the eras it was told to. */

let upstream: DualUpstream;

beforeAll(async () => {
  upstream = await startDual();
});

afterAll(() => upstream?.close());

async function connect(mode: 'auto' | 'legacy'): Promise<Client> {
  const client = new Client({ name: 'v2', version: '1' }, { versionNegotiation: { mode } } as never);
  await client.connect(new StreamableHTTPClientTransport(new URL(upstream.url)));
  return client;
}

describe('the everything-upstream on the official SDK 2.x', () => {
  test.each([
    ['both', 'auto', '2026-07-28'],
    ['both', 'legacy', '2025-11-25'],
    ['modern', 'auto', '2026-07-28'],
    ['legacy', 'auto', '2025-11-25'],
    ['legacy', 'legacy', '2025-11-25'],
  ] as const)('that speaks %s answers a client in %s mode as of %s', async (eras, mode, revision) => {
    upstream.speak(eras);
    const client = await connect(mode);
    const called = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
    expect(called.content).toEqual([{ type: 'text', text: 'hi' }]);
    expect(upstream.came.findLast(({ method }) => method === 'tools/call')?.headers).toMatchObject({
      'mcp-protocol-version': revision,
    });
    await client.close();
  });

  test('that speaks the modern era only turns a legacy client away', async () => {
    upstream.speak('modern' satisfies Eras);
    await expect(connect('legacy')).rejects.toThrow(/2026-07-28|version/i);
  });
});
