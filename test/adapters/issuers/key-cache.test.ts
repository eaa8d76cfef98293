import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { createKeyCache, type Found } from '#gateway/adapters/issuers/key-cache.ts';

const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const keysOf = (...kids: readonly string[]): string => JSON.stringify({ keys: kids.map((kid) => ({ ...jwk, kid })) });

/** An issuer that has these keys; `hang` makes it answer when it is told to. */
function anIssuer(...kids: readonly string[]) {
  const state = { kids, fetches: 0, now: 1_000_000, broken: false, hang: false, release: (): void => undefined };
  const said: string[] = [];
  const cache = createKeyCache({
    async load() {
      state.fetches++;
      if (state.hang) await new Promise<void>((resolve) => Object.assign(state, { release: resolve }));
      if (state.broken) throw new Error('it answers nothing');
      return keysOf(...state.kids);
    },
    failed: (why) => void said.push(why),
    now: () => state.now,
  });
  return { state, said, cache };
}

const isKey = (found: Found): boolean => found !== null && typeof found === 'object';

test('one fetch serves everybody who waits for it, and ten minutes', async () => {
  const { state, cache } = anIssuer('a');
  expect((await Promise.all(Array.from({ length: 20 }, () => cache.find('a')))).every(isKey)).toBe(true);
  state.now += 599_000;
  expect(isKey(await cache.find('a'))).toBe(true);
  expect(state.fetches).toBe(1);
});

test('an exchanged key is found with one fetch, made-up names cost one fetch in 30 s (A16)', async () => {
  const { state, cache } = anIssuer('a');
  await cache.find('a');
  state.kids = ['b'];
  state.now += 30_000;
  expect(isKey(await cache.find('b'))).toBe(true);
  expect(await cache.find('a')).toBeNull();
  for (let n = 0; n < 100; n++) expect(await cache.find(`made-up-${n}`)).toBeNull();
  state.now += 29_999;
  expect(await cache.find('made-up')).toBeNull();
  expect(state.fetches).toBe(2);
  state.now += 1;
  await cache.find('made-up');
  expect(state.fetches).toBe(3);
});

test('a known key is there at once while its issuer hangs, up to an hour', async () => {
  const { state, cache } = anIssuer('a');
  await cache.find('a');
  state.hang = true;
  state.now += 3_599_000;
  expect(cache.find('a')).not.toBeInstanceOf(Promise);
  expect(isKey(await cache.find('a'))).toBe(true);
  expect(state.fetches).toBe(2);
  // The fetch that was begun beside it is what everybody reads as soon as it is there.
  state.kids = ['b'];
  state.release();
  await expect.poll(() => cache.find('a')).toBeNull();
});

test('after an hour nothing is believed that cannot be asked for', async () => {
  const { state, said, cache } = anIssuer('a');
  await cache.find('a');
  state.broken = true;
  state.now += 3_600_001;
  expect(await cache.find('a')).toBe('unavailable');
  expect(said).toEqual(['it answers nothing']);
});

test('a name that is not known is no "no" while the issuer fails', async () => {
  const { state, cache } = anIssuer('a');
  await cache.find('a');
  state.broken = true;
  state.now += 30_000;
  expect(await cache.find('b')).toBe('unavailable');
  expect(isKey(await cache.find('a'))).toBe(true);
});

test('an issuer that hung is left alone for five seconds from the end of the fetch', async () => {
  const { state, cache } = anIssuer('a');
  Object.assign(state, { hang: true, broken: true });
  const first = cache.find('a');
  state.now += 6_000;
  state.release();
  expect(await first).toBe('unavailable');
  state.now += 4_999;
  expect(cache.find('a')).toBe('unavailable');
  expect(state.fetches).toBe(1);
  Object.assign(state, { hang: false, broken: false, now: state.now + 1 });
  expect(isKey(await cache.find('a'))).toBe(true);
});

test('no more than 64 wait for one issuer', async () => {
  const { state, cache } = anIssuer('a');
  state.hang = true;
  const first = Array.from({ length: 64 }, () => cache.find('a'));
  expect(cache.find('a')).toBe('busy');
  state.release();
  expect((await Promise.all(first)).every(isKey)).toBe(true);
  expect(isKey(await cache.find('a'))).toBe(true);
});

test('a document that nothing can be made of is a failure like any other, also where nobody waits for it', async () => {
  const said: string[] = [];
  let text = keysOf('a');
  let [now, fetches] = [1_000_000, 0];
  const load = () => Promise.resolve(text).finally(() => fetches++);
  const cache = createKeyCache({ load, failed: (why) => void said.push(why), now: () => now });
  await cache.find('a');
  text = '{"keys":[{"kid":"z","kty":{"toString":1,"valueOf":1}}]}';
  now += 600_001;
  expect(isKey(await cache.find('a'))).toBe(true);
  // An unhandled rejection would end the process, and with it this test.
  await new Promise((resolve) => setImmediate(resolve));
  expect(said).toHaveLength(1);
  for (let n = 0; n < 10; n++) expect(await cache.find(`made-up-${n}`)).toBe('unavailable');
  expect(fetches).toBe(2);
});
