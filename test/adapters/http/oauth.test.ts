import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { serveOAuth } from '#gateway/adapters/http/oauth.ts';
import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import type { Ending } from '#gateway/core/exchange.ts';
import { type Reason, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { keptLog } from '#test/support/logs.ts';
import { sendForm } from '#test/support/run-tokens.ts';
import { allowAll, digests } from '#test/support/values.ts';

/** The doors of the token service on a real socket, in front of a service whose answers the test chooses. */

let app: FastifyInstance;
const recorded: (Ending | null)[] = [];

afterEach(async () => {
  await app.close();
  recorded.length = 0;
});

async function listening(unjudged: Refusal | null): Promise<string> {
  const snapshot = buildSnapshot(allowAll, [], digests);
  const unasked = () => Promise.reject(new Error('not asked here'));
  app = fastify();
  serveOAuth(app, {
    issuer: 'http://127.0.0.1',
    service: { exchange: unasked, revoke: async () => unjudged },
    keys: () => ({ keys: [] }),
    gate: {
      ...{ snapshot: () => snapshot, pass: unasked, identify: unasked, decide: unasked },
      record: (_, ending) => void recorded.push(ending),
    },
    checkHost: () => null,
    ...{ recordable: () => true, now: Date.now, clock: () => performance.now(), log: keptLog() },
  });
  return app.listen({ host: '127.0.0.1', port: 0 });
}

test.each<Reason>(['overloaded', 'issuer_unavailable'])(
  'a token that nobody could look at (%s) is not said to be revoked: come again',
  async (reason) => {
    const answer = await sendForm(await listening(refuse(reason)), '/oauth/revoke', { token: 'a.b.c' });
    expect([answer.status, answer.body, answer.headers.get('retry-after')]).toMatchObject([
      503,
      { error: 'temporarily_unavailable', reason },
      '5',
    ]);
    expect(recorded).toMatchObject([{ kind: 'refusal', refusal: { refused: reason } }]);
  },
);

test('a token that was looked at is over, or never was one: which of the two is not said', async () => {
  const answer = await sendForm(await listening(null), '/oauth/revoke', { token: 'a.b.c' });
  expect([answer.status, answer.body]).toEqual([200, {}]);
  expect(recorded).toMatchObject([{ kind: 'result' }]);
});
