import { readdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readDigested, writeDigested } from '#gateway/adapters/policy/digested-file.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

test('a digested file is read as it was written, and not at all once a byte of it is another', async () => {
  await using folder = await scratchFolder();
  const path = folder.at('a.json');
  expect(await readDigested(path)).toBeNull();
  await writeDigested(path, '{"a": "関所"}', 0o600);
  expect(await readDigested(path)).toBe('{"a": "関所"}');
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at++) {
    if (at === 64) continue; // the end of the line, which says nothing
    const bent = Buffer.from(whole);
    bent[at] = (bent[at] ?? 0) ^ 1;
    await writeFile(path, bent);
    expect(await readDigested(path)).toBeNull();
  }
  expect(await readdir(folder.path)).toEqual(['a.json']);
});
