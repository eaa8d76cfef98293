import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { MintOrder } from '#gateway/compose/identity.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { openSession } from '#test/support/messages.ts';
import { readSse, type SseReader } from '#test/support/sse-reader.ts';

/** What the stream of a legacy session tells of lists that changed: what its token may know, and no more. */

const servers: Record<string, ListingServer> = {};
let sekisho: TestGateway;

beforeAll(async () => {
  const entries: Record<string, object> = {};
  for (const [id, tier] of Object.entries({ mine: 'internal', theirs: 'public' })) {
    const server = await startListing([aTool('one')]);
    servers[id] = server;
    entries[id] = { tier, url: server.url, tools: { '*': { action: 'read' } } };
  }
  sekisho = await startGateway({ servers: entries });
});

afterAll(async () => {
  await sekisho?.close();
  for (const server of Object.values(servers)) await server.close();
});

async function listening(order: MintOrder): Promise<SseReader> {
  const session = await openSession(sekisho, { token: await sekisho.token(order) });
  const reader = readSse(await session.stream());
  onTestFinished(() => reader.stop());
  return reader;
}

let changes = 0;
async function change(id: string): Promise<void> {
  servers[id]?.lists.tools.push(aTool(`more_${changes++}`));
  await sekisho.gateway.snapshots.refresh(id);
}

const changesIn = ({ messages }: SseReader): string[] =>
  messages.flatMap(({ method }) => (method?.endsWith('list_changed') ? [method.split('/')[1] ?? ''] : []));

describe('the stream of a session', () => {
  test.each<[string, MintOrder]>([
    ['tools', { tools: ['mine.*'] }],
    ['a tier', { tiers: ['internal'] }],
  ])('whose token is for %s of one server says nothing of another', async (_, order) => {
    const reader = await listening(order);
    const everything = await listening({});
    await change('theirs');
    await everything.next('notifications/resources/list_changed');
    expect(changesIn(reader)).toEqual([]);
    await change('mine');
    await reader.next('notifications/resources/list_changed');
    expect(changesIn(reader)).toEqual(['tools', 'prompts', 'resources']);
  });

  test('whose token is for one tool tells of tools only', async () => {
    const reader = await listening({ tools: ['mine.one'] });
    const everything = await listening({});
    await change('mine');
    await everything.next('notifications/resources/list_changed');
    await reader.next('notifications/tools/list_changed');
    expect(changesIn(reader)).toEqual(['tools']);
  });
});
