import { spawnSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { aToolchain, buildTimeout, repository } from '#test/support/rego.ts';

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);

// A few seconds of what `npm run fuzz` does for a minute, always with the same documents.
test('no hostile document is ever allowed, and none takes the gateway long', () => {
  const seed = process.env.SEKISHO_FUZZ_SEED ?? '1';
  const args = ['test/fuzz/run.ts', '--seconds', '4', '--seed', seed];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: repository, encoding: 'utf8' });
  expect(stdout + stderr).toMatch(/\d+ questions, the slowest took/);
  expect(status, stdout + stderr).toBe(0);
}, 60_000);
