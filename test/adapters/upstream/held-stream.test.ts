import { describe, expect, test } from 'vitest';
import { createWaits } from '#gateway/adapters/upstream/held-stream.ts';
import { metaKeys } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Credential } from '#gateway/ports.ts';
import { answerInitialize, beginEvents, type Hostile, result, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, aModernPair, until } from '#test/support/http-upstreams.ts';

const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
const turn: Scene = result({ tools: [] });

/** Turns the first who listen away with these statuses, one after the other, and then tells of a change. */
function turnsAway(statuses: number[], tell: (hostile: Hostile) => void): Scene {
  return (hostile) => {
    const status = statuses.shift();
    if (status === undefined) tell(hostile);
    else hostile.response.writeHead(status).end();
  };
}

const agree = ({ response, message }: Hostile, more: JsonObject[] = []): void => {
  const write = beginEvents(response);
  const _meta = { [metaKeys.subscription]: message.id };
  const method = 'notifications/subscriptions/acknowledged';
  write({ jsonrpc: '2.0', method, params: { notifications: { toolsListChanged: true }, _meta } });
  for (const one of more) write({ ...one, params: { _meta } });
};

const capabilities = { tools: { listChanged: true } };
const modern = (listen: Scene) =>
  aModernPair({
    'server/discover': result({ supportedVersions: ['2026-07-28'], capabilities }),
    'tools/list': turn,
    'subscriptions/listen': listen,
  });
const legacy = (listen: Scene) =>
  aHostilePair({
    initialize: ({ response, message }) => answerInitialize(response, message, 'own', capabilities),
    'tools/list': turn,
    GET: listen,
  });

describe('whoever is turned away from a stream of changes', () => {
  const passing = [400, 401, 403, 404, 407, 408, 425, 429, 500, 503];
  const tells = ({ response }: Hostile): void => beginEvents(response)(changed);

  test.each([
    ['newer', (status: number) => modern(turnsAway([status], (it) => agree(it, [changed])))],
    ['older', (status: number) => legacy(turnsAway([status], tells))],
  ] as const)(`with any of ${passing.join(', ')} listens again, in the %s era`, async (_, serve) => {
    const all = await Promise.all(passing.map(serve));
    for (const { upstream } of all) await upstream.live();
    for (const { notices } of all) await until(() => notices.some(({ kind }) => kind === 'changed'));
  });

  test.each([405, 501])('with HTTP %i believes it, until the server is looked at again', async (status) => {
    const { server, upstream, notices } = await modern(turnsAway([status], (it) => agree(it, [changed])));
    await upstream.live();
    await until(() => server.count('subscriptions/listen') === 1);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(server.count('subscriptions/listen')).toBe(1);
    await upstream.live();
    await until(() => notices.some(({ kind }) => kind === 'changed'));
  });
});

describe('the wait before a stream of changes is asked for again', () => {
  const outcomes = (
    waits: ReturnType<typeof createWaits>,
    outcome: 'stood' | 'broke' | 'unfit',
    times: number,
    ms = 0,
  ) => Array.from({ length: times }, () => waits(outcome, ms, 0));

  test('doubles from a second to half a minute while the server cannot be had', () => {
    const waits = createWaits(() => 0.5);
    expect(outcomes(waits, 'broke', 8)).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((s) => s * 1_000));
  });

  test('doubles to ten minutes where the server answers as if it had none', () => {
    const waits = createWaits(() => 0.5);
    expect(outcomes(waits, 'unfit', 12).slice(-3)).toEqual([512_000, 600_000, 600_000]);
    expect(waits('broke', 0, 0)).toBe(30_000);
  });

  test('is short again after a stream that stood, however long it was waited for', () => {
    const waits = createWaits(() => 0.5);
    outcomes(waits, 'broke', 8);
    expect(outcomes(waits, 'stood', 3, 25_000)).toEqual([1_000, 1_000, 1_000]);
    outcomes(waits, 'unfit', 12);
    expect(outcomes(waits, 'stood', 2, 10_000)).toEqual([1_000, 1_000]);
  });

  test('grows also when the server accepts each stream and ends it at once', () => {
    const waits = createWaits(() => 0.5);
    expect(outcomes(waits, 'stood', 4, 5)).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  test('differs by a quarter either way between gateways', () => {
    expect([createWaits(() => 0)('broke', 0, 0), createWaits(() => 1)('broke', 0, 0)]).toEqual([750, 1_250]);
  });

  test('is as long as the server asked for, half a minute at most, or longer, and differs there as well', () => {
    const waited = (random: number, retry: number) => createWaits(() => random)('stood', 0, retry);
    expect([waited(0, 5_000), waited(1, 5_000)]).toEqual([5_000, 7_500]);
    expect([waited(0, 3_600_000), waited(1, 3_600_000)]).toEqual([30_000, 45_000]);
  });
});

test('a credential that was not taken is not the one that has been got since', async () => {
  const held = { value: 'old' };
  const rejected: (string | null)[] = [];
  const credential: Credential = {
    get value() {
      return held.value;
    },
    ready: () => null,
    rejected: (value) => rejected.push(value) > 0,
  };
  const listen: Scene = ({ response }) => {
    held.value = 'new';
    response.writeHead(401).end();
  };
  const capabilities = { tools: { listChanged: true } };
  const { upstream } = await aModernPair(
    {
      'server/discover': result({ supportedVersions: ['2026-07-28'], capabilities }),
      'tools/list': turn,
      'subscriptions/listen': listen,
    },
    { credential },
  );
  await upstream.live();
  await until(() => rejected.length > 0);
  expect(rejected[0]).toBe('old');
});
