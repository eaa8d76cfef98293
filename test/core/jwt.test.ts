import { expect, test } from 'vitest';
import { beginningOf, issuerOf, meantFor, parsePart } from '#gateway/core/jwt.ts';

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

test.each([
  ['no JWT', 'x', '', 0],
  ['no claims', `${encoded('{}')}.${encoded('[]')}.s`, '', 0],
  ['claims of other types', `${encoded('{}')}.${encoded('{"iss":1,"nbf":"2","iat":"3"}')}.s`, '', 0],
  [
    'an issuer and a beginning',
    `${encoded('{}')}.${encoded('{"iss":"https://a.test","iat":4,"nbf":5}')}.s`,
    'https://a.test',
    5000,
  ],
  [
    'an issue later than its beginning',
    `${encoded('{}')}.${encoded('{"iss":"https://a.test","iat":9,"nbf":5}')}.s`,
    'https://a.test',
    9000,
  ],
  ['more than 8 KiB', `${encoded('{}')}.${encoded(`{"iss":"${'a'.repeat(8192)}","nbf":5}`)}.s`, '', 0],
])('of %s it is read, unverified, whose it says it is and from when', (_, token, issuer, from) => {
  expect([issuerOf(token), beginningOf(token)]).toEqual([issuer, from]);
});
