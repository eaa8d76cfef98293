import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { product } from '#gateway/core/product.ts';

test('the version we tell everybody is the one of the package', () => {
  const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect({ name, version }).toEqual({ name: product.name, version: product.version });
});
