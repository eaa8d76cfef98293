import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { Upstream } from '#gateway/ports.ts';
import { comesTrue } from '#test/support/processes.ts';
import {
  aCall,
  type CallChanges,
  eventsOf,
  jsonOf,
  type Started,
  startUpstream,
  textOf,
  toolCall,
} from '#test/support/stdio-upstreams.ts';

const started: Started[] = [];
/** Up already: what is measured here is the call, not the start of the child. */
const start = async (): Promise<Started> => {
  const one = startUpstream();
  started.push(one);
  expect(await comesTrue(() => one.notices.length > 0)).toBe(true);
  return one;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.close()));
});

interface Heard {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly requestId?: number };
}

const heardBy = async (upstream: Upstream, changes: CallChanges = {}): Promise<Heard[]> =>
  jsonOf(await upstream.send(toolCall('heard', {}, changes))) as Heard[];

/** The ids that the server was told to stop, and what they called. */
async function cancelled(upstream: Upstream): Promise<(string | undefined)[]> {
  const heard = await heardBy(upstream);
  const ids = heard.filter(({ method }) => method === 'notifications/cancelled').map(({ params }) => params?.requestId);
  return ids.map((id) => heard.find((message) => message.id === id)?.params?.name);
}

const withToken = (args: Record<string, number | boolean>) => ({
  params: { name: 'progress', arguments: args, _meta: { progressToken: 7 } },
});

describe('a server that is too slow', () => {
  test('is told to stop when it said nothing in time', async () => {
    const { upstream } = await start();
    expect(await upstream.send(toolCall('never', {}, { limits: { firstByte: 100 } }))).toMatchObject({
      kind: 'refusal',
      refusal: {
        refused: 'upstream_timeout',
        detail: expect.stringContaining('said nothing about this call for 0.1 s'),
      },
    });
    expect(await cancelled(upstream)).toEqual(['never']);
  });

  test('is told to stop when the whole call took too long', async () => {
    const { upstream } = await start();
    expect(await upstream.send(toolCall('never', {}, { limits: { timeout: 100 } }))).toMatchObject({
      refusal: {
        refused: 'upstream_timeout',
        detail: expect.stringContaining('did not finish this call within 0.1 s'),
      },
    });
    expect(await cancelled(upstream)).toEqual(['never']);
  });

  test('may take longer than the first byte allows once it was heard, but not longer than the whole call', async () => {
    const { upstream } = await start();
    const limits = { firstByte: 1_000, timeout: 2_000 };
    const events = await eventsOf(
      await upstream.send(aCall({ ...withToken({ endless: true, count: 2, ms: 100 }), limits })),
    );
    expect(events).toMatchObject([
      { kind: 'notification' },
      { kind: 'notification' },
      { kind: 'refusal', refusal: { refused: 'upstream_timeout', detail: expect.stringContaining('within 2 s') } },
    ]);
    expect(await cancelled(upstream)).toEqual(['progress']);
  });

  test('may answer later without being heard', async () => {
    const one = await start();
    await one.upstream.send(toolCall('slow', { ms: 200 }, { limits: { firstByte: 50 } }));
    await sleep(300);
    expect(textOf(await one.upstream.send(toolCall('echo')))).toBe('{}');
    expect(one.logged.map(({ fields }) => fields)).toContainEqual({ server: 'demo', oddity: 'lateAnswer' });
  });
});

describe('a caller who leaves', () => {
  test('stops the call that was sent', async () => {
    const { upstream } = await start();
    const leaving = new AbortController();
    const answer = upstream.send(toolCall('never', {}, { signal: leaving.signal }));
    await heardBy(upstream);
    leaving.abort();
    expect(await answer).toMatchObject({ kind: 'refusal', refusal: { refused: 'upstream_lost' } });
    expect(await cancelled(upstream)).toEqual(['never']);
  });

  test('before the call was sent keeps it from being sent', async () => {
    const { upstream } = await start();
    const answer = await upstream.send(toolCall('never', {}, { signal: AbortSignal.abort() }));
    expect(answer).toMatchObject({ kind: 'refusal', refusal: { refused: 'upstream_lost' } });
    expect((await heardBy(upstream)).map(({ params }) => params?.name)).not.toContain('never');
  });

  test('in the middle of a stream stops the call', async () => {
    const { upstream } = await start();
    const answer = await upstream.send(aCall(withToken({ endless: true, count: 1_000, ms: 5 })));
    if (answer.kind !== 'stream') throw new Error('no stream');
    for await (const event of answer.events) {
      expect(event.kind).toBe('notification');
      break;
    }
    expect(await cancelled(upstream)).toEqual(['progress']);
  });

  test('while waiting for the next event stops the call at once', async () => {
    const { upstream } = await start();
    const answer = await upstream.send(aCall(withToken({ endless: true, count: 1, ms: 5 })));
    if (answer.kind !== 'stream') throw new Error('no stream');
    const events = answer.events[Symbol.asyncIterator]();
    await events.next();
    const waiting = events.next();
    await events.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await cancelled(upstream)).toEqual(['progress']);
  });

  test('by aborting in the middle of a stream ends it', async () => {
    const { upstream } = await start();
    const leaving = new AbortController();
    const call = { ...withToken({ endless: true, count: 1, ms: 5 }), signal: leaving.signal };
    const events = eventsOf(await upstream.send(aCall(call)));
    leaving.abort();
    expect((await events).at(-1)).toMatchObject({ kind: 'refusal', refusal: { refused: 'upstream_lost' } });
    expect(await cancelled(upstream)).toEqual(['progress']);
  });

  test('before a server that does not read took the call takes it back unsent', async () => {
    const { upstream } = await start();
    await upstream.send(toolCall('deafens', { ms: 300 }));
    const leaving = new AbortController();
    const answerBytes = 4 * 1024 ** 2;
    const stuck = upstream.send(toolCall('echo', { text: 'x'.repeat(1024 ** 2) }, { answerBytes }));
    const unsent = upstream.send(toolCall('never', {}, { signal: leaving.signal }));
    // The call is handed over in a later turn: leave when it waits behind the stuck one.
    await sleep(50);
    leaving.abort();
    expect(await unsent).toMatchObject({ refusal: { refused: 'upstream_lost' } });
    expect((await stuck).kind).toBe('result');
    const heard = await heardBy(upstream, { answerBytes });
    expect(heard.map(({ params }) => params?.name)).not.toContain('never');
    expect(heard.map(({ method }) => method)).not.toContain('notifications/cancelled');
  });
});

describe('a caller who reads slowly', () => {
  test('misses old progress, never the end', async () => {
    const { upstream } = await start();
    const answer = await upstream.send(aCall(withToken({ count: 600, ms: 1 })));
    await sleep(50);
    let over = false;
    void upstream.send(aCall(withToken({ count: 900, ms: 1 }))).then(async (other) => {
      await eventsOf(other);
      over = true;
    });
    expect(await comesTrue(() => over, 10_000)).toBe(true);
    const events = await eventsOf(answer);
    expect(events.at(-1)?.kind).toBe('result');
    expect(events).toHaveLength(256);
    expect(events.at(-2)).toMatchObject({ params: { progress: 600 } });
  });
});
