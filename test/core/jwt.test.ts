import { expect, test } from 'vitest';
import { meantFor, parsePart } from '#gateway/core/jwt.ts';

const encoded = (text: string): string => Buffer.from(text, 'latin1').toString('base64url');

test.each<[unknown, boolean]>([
  ['https://gw.test', true],
  [['https://gw.test'], true],
  [['https://gw.test', 'https://gw.test'], false],
  [['https://gw.test', 'https://sibling.test'], false],
  [[], false],
  ['https://gw.test/', false],
  [undefined, false],
  [null, false],
])('an audience of %j is ours: %s', (aud, ours) => {
  expect(meantFor(aud as never, 'https://gw.test')).toBe(ours);
});

test.each([
  ['padding', `${encoded('{"a":1}')}=`],
  ['another alphabet', '-_+/'],
  ['bytes that are no UTF-8', encoded('"\xff"')],
  ['a member twice', encoded('{"a":1,"a":2}')],
  ['more levels than are read', encoded('[[[[[1]]]]]')],
  ['no JSON', encoded('a')],
])('a part with %s is none', (_, part) => {
  expect(parsePart(part, 4)).toBeNull();
});

test('a part is read once decoded', () => {
  expect(parsePart(encoded('{"a":[1]}'), 4)).toEqual({ a: [1] });
});
