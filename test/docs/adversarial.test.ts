import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** docs/adversarial.md says where each attack is tried: a test that was renamed or deleted may not leave it saying so. */

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/adversarial.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-H]\d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, id = '', , , file = '', title = '']) => ({ id, file: file.replaceAll('`', ''), title }));

const upTo = (letter: string, last: number): string[] => Array.from({ length: last }, (_, at) => `${letter}${at + 1}`);

test('every case is there', () => {
  const cases = [...upTo('A', 17), ...upTo('C', 6), ...upTo('F', 5), ...upTo('H', 14)];
  expect([...new Set(rows.map(({ id }) => id))]).toEqual(cases);
});

test.each(rows)('$id is tried in $file: $title', ({ file, title }) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(title);
});
