import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { jsonSchema } from '#gateway/adapters/config/schema.ts';

const valid = new Ajv({ strict: false }).compile(jsonSchema());
const least = { version: 1, policy: { path: 'p' } };

test('the default config fits the schema that its first line names', async () => {
  const text = await readFile(join(import.meta.dirname, '../../config/gateway.yaml'), 'utf8');
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./gateway.schema.json');
  expect(valid(parse(text)), JSON.stringify(valid.errors)).toBe(true);
});

test.each([
  ['${…} for a port', { ...least, listen: { port: '${env:PORT}' } }],
  ['${…} for a size', { ...least, limits: { body: '${env:BODY:-4MiB}' } }],
  ['${…} for a choice', { ...least, servers: { a: { tier: '${env:TIER}', url: 'https://a.test' } } }],
  ['a size', { ...least, limits: { body: '4MiB' } }],
])('an editor accepts %s', (_, config) => {
  expect(valid(config), JSON.stringify(valid.errors)).toBe(true);
});

test.each([
  ['an unknown key', { ...least, lisen: {} }],
  ['a port as a word', { ...least, listen: { port: 'http' } }],
  ['a size without a unit', { ...least, limits: { body: '4096' } }],
  ['a server id in capitals', { ...least, servers: { A: { tier: 'local', url: 'https://a.test' } } }],
  ['${…} as a server id', { ...least, servers: { '${env:ID}': { tier: 'local', url: 'https://a.test' } } }],
  ['no policy', { version: 1 }],
])('an editor marks %s', (_, config) => {
  expect(valid(config)).toBe(false);
});
