import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jsonSchema } from '#gateway/adapters/config/schema.ts';
import { refusals } from '#gateway/core/refusals.ts';
import { configurationPage } from '../../docs/configuration-page.ts';
import { pages } from '../../docs/generate.ts';

test.each(pages)('$path is what the code says: run `npm run docs`', async ({ path, text }) => {
  expect(await readFile(join(import.meta.dirname, '../..', path), 'utf8')).toBe(text());
});

test('every key of the configuration is explained', () => {
  const silent = configurationPage()
    .split('\n')
    .filter((line) => line.startsWith('| `') && line.endsWith('|  |'));
  expect(silent).toEqual([]);
});

test('the page of refusals has a row for every reason', () => {
  const page = pages.find(({ path }) => path === 'docs/refusals.md')?.text() ?? '';
  for (const reason of Object.keys(refusals)) expect(page).toContain(`| \`${reason}\` |`);
});

test('the schema is draft 7, closed, and asks for version, servers or includes, and policy', () => {
  const schema = jsonSchema();
  expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required).toEqual(['version', 'policy']);
});
