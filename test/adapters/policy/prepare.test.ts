import { writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PolicyErrors } from '#gateway/adapters/policy/compile.ts';
import { type Prepared, preparePolicy } from '#gateway/adapters/policy/prepare.ts';
import { aToolchain, buildTimeout } from '#test/support/rego.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);
beforeEach(async () => {
  folder = await scratchFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const prepare = async (): Promise<Prepared | PolicyErrors> =>
  preparePolicy({ directory: folder.path, toolchain: await aToolchain() });

const good = 'package sekisho\n\ndecision := {"grant": [{"id": data.who}]}\n';

test('a policy that compiles and passes its own tests may serve', async () => {
  await folder.write('a.rego', good);
  await folder.write('data.json', '{"who": "ann"}');
  await folder.write('a_test.rego', 'package a_test\n\ntest_ann if data.sekisho.decision.grant[0].id == "ann"\n');
  const made = await prepare();
  if ('errors' in made) throw new Error(JSON.stringify(made.errors));
  expect(made.policy.judge({})).toEqual({ grant: [{ id: 'ann' }] });
  expect(made.policy.revision).toBe(made.compiled.revision);
});

test('one whose own tests fail may not, and the test is named with its place', async () => {
  await folder.write('a.rego', good);
  await folder.write('data.json', '{"who": "bob"}');
  await folder.write('b/a_test.rego', 'package a_test\n\ntest_ann if data.sekisho.decision.grant[0].id == "ann"\n');
  expect(await prepare()).toEqual({
    errors: [
      { file: 'b/a_test.rego', row: 3, col: 1, code: 'test_failed', message: 'test_ann: a line of it does not hold' },
    ],
  });
});

test('nor one with a test that would never end', async () => {
  await folder.write('a.rego', good);
  const loops = Array.from({ length: 6 }, (_, i) => `some x${i} in numbers.range(1, 999)`).join('\n\t');
  await folder.write(
    'a_test.rego',
    `package a_test\n\ntest_long if {\n\t${loops}\n\tx0 + x1 + x2 + x3 + x4 + x5 == 1\n}\n`,
  );
  expect(await prepare()).toMatchObject({ errors: [{ code: 'test_failed', row: 3 }] });
});

test('a folder is read when it has come to rest: never half of an edit', async () => {
  await folder.write('a.rego', good);
  await folder.write('data.json', '{"who": "0"}');
  let writing = true;
  let last = 0;
  const edits = (async () => {
    // In each turn of the loop that the reader's timers run on: however busy the machine is, it never sees the folder at rest.
    for (const until = performance.now() + 500; performance.now() < until; await turn()) {
      last++;
      // The two belong together: with one of them new and the other old the test below would fail.
      writeFileSync(folder.at('data.json'), `{"who": "${last}"}`);
      await turn();
      writeFileSync(folder.at('a_test.rego'), `package a_test\n\ntest_who if data.who == "${last}"\n`);
    }
    writing = false;
  })();
  const made = await prepare();
  const early = writing;
  await edits;
  expect(early).toBe(false);
  expect(made).toMatchObject({ compiled: { data: { who: String(last) } } });
});
