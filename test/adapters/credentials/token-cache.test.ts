import { describe, expect, test } from 'vitest';
import { createTokenCache } from '#gateway/adapters/credentials/token-cache.ts';
import type { Granted, NotGranted } from '#gateway/core/token-answer.ts';

/** A cache on a clock of its own; tokens are called t1, t2, … and live a hundred seconds. */
function aCache(answers: ((at: number) => Granted | NotGranted | Promise<never>)[] = []) {
  const clock = { now: 0 };
  const told: (string | null)[] = [];
  const broken: unknown[] = [];
  let asked = 0;
  const cache = createTokenCache({
    server: 'tickets',
    obtain: async () => {
      const at = ++asked;
      return (answers.shift() ?? (() => ({ token: `t${at}`, expiresIn: 100 })))(at);
    },
    told: (trouble) => told.push(trouble),
    broke: (fault) => broken.push(fault),
    now: () => clock.now,
  });
  return { cache, clock, told, broken, asked: () => asked };
}
const none = () => ({ why: 'answered HTTP 503' });

describe('a token of the gateway', () => {
  test('is fetched once by all who wait for it, and then waited for by nobody', async () => {
    const { cache, asked } = aCache();
    expect(cache.value).toBeNull();
    expect(await Promise.all([cache.ready(), cache.ready(), cache.ready()])).toEqual([null, null, null]);
    expect([cache.value, cache.ready(), asked()]).toEqual(['t1', null, 1]);
  });

  test('is exchanged while it is still good, by one request, which nobody waits for', async () => {
    const { cache, clock, asked } = aCache();
    await cache.ready();
    clock.now = 74_999;
    expect([cache.ready(), asked()]).toEqual([null, 1]);
    clock.now = 75_000;
    expect([cache.ready(), cache.ready(), cache.value]).toEqual([null, null, 't1']);
    await new Promise(setImmediate);
    expect([asked(), cache.value]).toEqual([2, 't2']);
  });

  test('is not used in the last seconds of its life', async () => {
    const { cache, clock } = aCache();
    await cache.ready();
    clock.now = 90_000;
    expect(await cache.ready()).toBeNull();
    expect(cache.value).toBe('t2');
  });

  test('goes on while it is good when another cannot be had', async () => {
    const { cache, clock, told } = aCache([() => ({ token: 't1', expiresIn: 100 }), none]);
    await cache.ready();
    clock.now = 80_000;
    expect(cache.ready()).toBeNull();
    await new Promise(setImmediate);
    expect([cache.ready(), cache.value, told]).toEqual([null, 't1', [null, 'answered HTTP 503']]);
  });

  test('that cannot be had is refused, asked for again after two seconds, and told of each time', async () => {
    const { cache, clock, asked, told } = aCache([none, none]);
    expect(await cache.ready()).toMatchObject({ refused: 'credential_unavailable' });
    expect(await cache.ready()).toMatchObject({ refused: 'credential_unavailable' });
    expect(asked()).toBe(1);
    clock.now = 2_000;
    await cache.ready();
    clock.now = 4_000;
    expect([await cache.ready(), cache.value, asked()]).toEqual([null, 't3', 3]);
    expect(told).toEqual(['answered HTTP 503', 'answered HTTP 503', null]);
  });

  test('is refused, and not thrown, when something broke, and what broke is told', async () => {
    const fault = new Error('secret-in-a-fault');
    const { cache, told, broken } = aCache([() => Promise.reject(fault)]);
    const refused = await cache.ready();
    expect(refused).toMatchObject({ refused: 'credential_unavailable' });
    expect(JSON.stringify(refused)).not.toMatch(/secret|authorization server/);
    expect([told, broken]).toEqual([['could not be made'], [fault]]);
  });

  test('that was not taken is exchanged once, however many were told so, and not again for ten seconds', async () => {
    const { cache, clock, asked } = aCache();
    await cache.ready();
    expect([cache.rejected('t1'), cache.rejected('t1')]).toEqual([true, true]);
    await Promise.all([cache.ready(), cache.ready()]);
    expect([cache.value, asked()]).toEqual(['t2', 2]);
    expect([cache.rejected('t1'), cache.rejected('t2')]).toEqual([true, false]);
    clock.now = 10_000;
    expect(cache.rejected('t2')).toBe(true);
  });
});
