import { expect, test } from 'vitest';
import { fitsTemplate } from '#gateway/core/uri-template.ts';

test.each([
  ['demo://a/{id}', 'demo://a/1', true],
  ['demo://a/{id}', 'demo://a/', false],
  ['demo://a/{id}', 'demo://b/1', false],
  ['demo://a/{id}/data', 'demo://a/1/data', true],
  ['demo://a/{id}/data', 'demo://a//data', false],
  ['demo://{a}/x/{b}', 'demo://1/x/2', true],
  ['demo://{a}/x/{b}', 'demo://1/y/2', false],
  ['demo://fixed', 'demo://fixed', true],
  ['demo://fixed', 'demo://fixed/more', false],
])('the template %s and the URI %s: %s', (template, uri, fits) => {
  expect(fitsTemplate(template, uri)).toBe(fits);
});

test('a hostile template costs no more than its length', () => {
  expect(fitsTemplate('{a}x'.repeat(2_000), 'x'.repeat(20_000))).toBe(true);
  expect(fitsTemplate('{a}x'.repeat(2_000), 'y'.repeat(20_000))).toBe(false);
});
