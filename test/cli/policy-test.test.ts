import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { test as policyTest } from '#gateway/cli/policy-test.ts';
import { aToolchain } from '#test/support/rego.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

test('policy test --watch runs again for what was written while the tests ran', async () => {
  await using folder = await scratchFolder({
    'policies/a.rego': 'package a\n\nx := 1\n',
    'policies/a_test.rego': 'package a_test\n\ntest_it if data.a.x == 1\n',
  });
  const said: string[] = [];
  const terminal = {
    env: process.env,
    out(line: string) {
      // The policies were read and judged; nobody waits for a change yet.
      if (said.length === 0) writeFileSync(folder.at('policies/a.rego'), 'package a\n\nx := 2\n');
      said.push(line);
    },
    err(line: string) {
      said.push(line);
      if (said.filter((one) => one === line).length === 2) throw new Error('enough was seen');
    },
    exit: () => undefined,
  };
  const asked = { folder: folder.at('policies'), json: false, toolchain: await aToolchain(), terminal };
  await expect(policyTest(asked, { json: false, coverage: false, watch: true })).rejects.toThrow('enough was seen');
  expect(said.filter((line) => / passed, /.test(line))).toEqual(['1 passed, 0 failed', '0 passed, 1 failed']);
});
