import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { type HostileServer, startHostile } from '#test/support/hostile-server.ts';
import { itemsOf, type LegacySession, openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';

let good: EverythingUpstream;
let hostile: HostileServer;
let sekisho: TestGateway;
let session: LegacySession;

const read = { '*': { action: 'read' } };
const impatient = { first_byte: '400ms', idle: '400ms', timeout: '3s', answer: '64KiB' };

beforeAll(async () => {
  good = await startEverything();
  hostile = await startHostile();
  sekisho = await startGateway({
    servers: {
      good: anOpenServer(good.url),
      hostile: anOpenServer(hostile.url, { limits: impatient }),
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await good?.close();
  await hostile?.close();
});

beforeEach(async () => {
  session = await openSession(sekisho);
});

const tools = async (by: LegacySession): Promise<unknown[]> =>
  itemsOf(await by.ask('tools/list'), 'tools').map(({ name }) => name);

/** After whatever happened: this very session is answered, by the server that misbehaved and by the other one. */
async function expectAllWell(): Promise<void> {
  expect(textOf(await session.call('hostile__fine', {}, 'after'))).toBe('fine');
  expect(textOf(await session.call('good__echo', { message: 'hi' }, 'after'))).toBe('hi');
  expect(total(await sekisho.metrics(), 'sekisho_inflight_requests')).toBe(0);
}

describe('a server that', () => {
  test.each([
    ['dies_at_once', 'upstream_lost'],
    ['dies_in_body', 'upstream_lost'],
    ['dies_in_stream', 'upstream_lost'],
    ['ends_stream_early', 'upstream_lost'],
    ['answers_html', 'upstream_invalid'],
    ['answers_html_as_json', 'upstream_invalid'],
    ['answers_500', 'upstream_unreachable'],
    ['answers_redirect', 'upstream_invalid'],
    ['answers_nothing', 'upstream_invalid'],
    ['wrong_id', 'upstream_invalid'],
    ['wrong_id_in_stream', 'upstream_invalid'],
    ['two_documents', 'upstream_invalid'],
    ['result_and_error', 'upstream_invalid'],
    ['no_content', 'answer_invalid'],
    ['gzipped', 'upstream_invalid'],
    ['never', 'upstream_timeout'],
    ['never_ends', 'upstream_timeout'],
    ['huge_event', 'answer_too_large'],
  ])('%s is answered for with %s, once, and harms nobody else', async (tool, reason) => {
    const before = (await sekisho.audit()).length;
    const answer = await session.call(`hostile__${tool}`);
    expect([answer.status, answer.answer.id, reasonOf(answer)]).toEqual([200, 1, reason]);
    expect(answer.messages.filter(({ method }) => method === undefined)).toHaveLength(1);
    expect(JSON.stringify(answer.messages)).not.toMatch(/secret\.internal|169\.254|127\.0\.0\.1/);
    const lines = (await sekisho.audit()).slice(before);
    expect(lines).toMatchObject([{ server: 'hostile', tool, reason, upstream_ms: expect.any(Number) }]);
    await expectAllWell();
  });

  test('gives two results is answered for with one of them', async () => {
    const answer = await session.call('hostile__two_results');
    const ends = answer.messages.filter(({ method }) => method === undefined);
    expect(ends).toHaveLength(1);
    expect(['first', '']).toContain(textOf(answer).replace(/^The server.*$/s, ''));
    await expectAllWell();
  });

  test('mislabels its answer does not get around the gateway', async () => {
    const answer = await session.call('hostile__mislabelled');
    expect(['mislabelled', 'upstream_invalid']).toContain(reasonOf(answer) ?? textOf(answer));
    await expectAllWell();
  });

  test('pours out a gigabyte is stopped at the cap, and memory does not feel it', async () => {
    const sent = hostile.sent();
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    let most = 0;
    const watch = setInterval(() => {
      const { arrayBuffers, heapUsed } = process.memoryUsage();
      most = Math.max(most, arrayBuffers + heapUsed - before);
    }, 2);
    const answer = await session.call('hostile__huge');
    clearInterval(watch);
    expect(reasonOf(answer)).toBe('answer_too_large');
    expect(textOf(answer)).toContain('64 KiB');
    expect(most).toBeLessThan(64 * 1024 * 1024);
    await vi.waitFor(() => expect(hostile.sent() - sent).toBeGreaterThan(0));
    // What the sockets between the two hold is on its way before anybody can stop it.
    expect(hostile.sent() - sent).toBeLessThan(32 * 1024 * 1024);
    await expectAllWell();
  });
});

describe('a server that is down', () => {
  test('from the start hides nothing of the others, and is there when it comes', async () => {
    const late = await startHostile();
    await late.close();
    const gateway = await startGateway({
      servers: {
        good: anOpenServer(good.url),
        late: anOpenServer(late.url, { manifest: { refresh: '1s' } }),
        child: { tier: 'internal', command: ['sekisho-no-such-program'], tools: read },
      },
    });
    try {
      const one = await openSession(gateway);
      const began = performance.now();
      expect(await tools(one)).toContain('good__echo');
      expect(performance.now() - began).toBeLessThan(1_000);
      expect(textOf(await one.call('good__echo', { message: 'hi' }))).toBe('hi');
      const states = gateway.gateway.snapshots.states();
      expect(states.map(({ id, up }) => [id, up])).toEqual([
        ['good', true],
        ['late', false],
        ['child', false],
      ]);
      expect(total(await gateway.metrics(), 'sekisho_upstream_up', { server: 'late' })).toBe(0);
      const arrived = await startHostile(late.port);
      await vi.waitFor(async () => expect(await tools(one)).toContain('late__fine'), {
        timeout: 10_000,
        interval: 100,
      });
      expect(textOf(await one.call('late__fine'))).toBe('fine');
      await arrived.close();
    } finally {
      await gateway.close();
    }
  });

  test('from some moment on keeps its tools listed, whose calls say so until it is back', async () => {
    const first = await startHostile();
    const gateway = await startGateway({
      servers: {
        good: anOpenServer(good.url),
        frail: anOpenServer(first.url, { manifest: { refresh: '1s' } }),
      },
    });
    try {
      const one = await openSession(gateway);
      expect(textOf(await one.call('frail__fine'))).toBe('fine');
      await first.close();
      const refused = await one.call('frail__fine');
      expect(reasonOf(refused)).toBe('upstream_unreachable');
      expect(JSON.stringify(refused.answer)).not.toContain('127.0.0.1');
      expect(textOf(await one.call('good__echo', { message: 'hi' }))).toBe('hi');
      await gateway.gateway.snapshots.refresh('frail');
      expect(await tools(one)).toContain('frail__fine');
      const again = await startHostile(first.port);
      expect(textOf(await one.call('frail__fine'))).toBe('fine');
      await again.close();
    } finally {
      await gateway.close();
    }
  });
});
