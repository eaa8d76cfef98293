import { readdirSync, writeFileSync } from 'node:fs';
import { chmod, readdir, stat, symlink } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createKeyRing } from '#gateway/adapters/keys/ring.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const turn = 3_600_000;
const kids = (ring: Awaited<ReturnType<typeof createKeyRing>>): string[] => ring.published().keys.map(({ kid }) => kid);

async function aRing(folder: string, clock: { now: number }, revoked: string[] = []) {
  return createKeyRing({ folder, turn, now: () => clock.now, revoked: (kid) => revoked.includes(kid) });
}

test('makes two keys that only their owner may read, and has the same ones after a restart', async () => {
  await using scratch = await scratchFolder();
  const clock = { now: 1_000_000_000 };
  const ring = await aRing(scratch.at('keys'), clock);
  expect(await readdir(scratch.at('keys'))).toEqual(['1.jwk', '2.jwk']);
  expect((await stat(scratch.at('keys/1.jwk'))).mode & 0o777).toBe(0o600);
  expect(kids(await aRing(scratch.at('keys'), clock))).toEqual(kids(ring));
  expect(JSON.stringify(ring.published())).not.toContain('"d"');
});

test('two processes that start at the same time have the same keys', async () => {
  await using scratch = await scratchFolder();
  const clock = { now: 1_000_000_000 };
  const rings = await Promise.all(Array.from({ length: 8 }, () => aRing(scratch.at('keys'), clock)));
  expect(new Set(rings.map((ring) => kids(ring).join())).size).toBe(1);
});

test('signs with the next key when its turn comes, verifies with the last one a while longer, then deletes it', async () => {
  await using scratch = await scratchFolder();
  const clock = { now: 1_000_000_000 };
  const ring = await aRing(scratch.at('keys'), clock);
  const [first = '', second = ''] = kids(ring);
  expect(ring.current()?.kid).toBe(first);
  clock.now += turn;
  await ring.refresh();
  expect(ring.current()?.kid).toBe(second);
  expect(ring.find(first)).toBeDefined();
  expect(kids(ring)).toHaveLength(3);
  clock.now += 931_000;
  await ring.refresh();
  expect(ring.find(first)).toBeUndefined();
  expect(readdirSync(scratch.at('keys')).sort()).toEqual(['2.jwk', '3.jwk']);
});

test('a revoked key is gone at once, without waiting for the next look at the folder', async () => {
  await using scratch = await scratchFolder();
  const revoked: string[] = [];
  const ring = await aRing(scratch.at('keys'), { now: 1_000_000_000 }, revoked);
  const [first = '', second = ''] = kids(ring);
  revoked.push(first);
  expect(ring.current()?.kid).toBe(second);
  expect(ring.find(first)).toBeUndefined();
  expect(kids(ring)).toEqual([second]);
  await ring.refresh();
  expect(ring.current()?.kid).toBe(second);
  expect(kids(ring)).toHaveLength(2);
});

test('while every key is revoked nothing signs; a refresh makes new ones', async () => {
  await using scratch = await scratchFolder();
  const revoked: string[] = [];
  const ring = await aRing(scratch.at('keys'), { now: 1_000_000_000 }, revoked);
  const old = kids(ring);
  revoked.push(...old);
  expect([ring.current(), ring.published()]).toEqual([null, { keys: [] }]);
  await ring.refresh();
  expect(old).not.toContain(ring.current()?.kid);
});

test('a key that another process deletes while the folder is read is over, and fails nobody', async () => {
  await using scratch = await scratchFolder();
  const clock = { now: 1_000_000_000 };
  const ring = await aRing(scratch.at('keys'), clock);
  // It is listed, and cannot be opened: as a file is that goes between the two.
  await symlink(scratch.at('gone'), scratch.at('keys/7.jwk'));
  await ring.refresh();
  expect(kids(ring)).toHaveLength(2);
  expect(kids(await aRing(scratch.at('keys'), clock))).toEqual(kids(ring));
});

test('a key file that others may read, or that does not say when it signs, is not used', async () => {
  await using scratch = await scratchFolder();
  const clock = { now: 1_000_000_000 };
  await aRing(scratch.at('keys'), clock);
  await chmod(scratch.at('keys/1.jwk'), 0o644);
  await expect(aRing(scratch.at('keys'), clock)).rejects.toThrow(/open to others/);
  await chmod(scratch.at('keys/1.jwk'), 0o600);
  writeFileSync(scratch.at('keys/9.jwk'), '{}', { mode: 0o600 });
  await expect(aRing(scratch.at('keys'), clock)).rejects.toThrow(/not an Ed25519 key/);
});
