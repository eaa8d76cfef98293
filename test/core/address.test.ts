import { expect, test } from 'vitest';
import { contains, isWithin, parseAddress, parseRange } from '#gateway/core/address.ts';

test.each([
  ['127.0.0.1', 4, 0x7f000001n],
  ['255.255.255.255', 4, 0xffffffffn],
  ['::', 6, 0n],
  ['::1', 6, 1n],
  ['1::', 6, 1n << 112n],
  ['::ffff:127.0.0.1', 6, 0xffff7f000001n],
  ['2001:db8:0:0:0:0:0:1', 6, 0x20010db8000000000000000000000001n],
  ['2001:DB8::1', 6, 0x20010db8000000000000000000000001n],
])('reads %s', (text, family, value) => {
  expect(parseAddress(text)).toEqual({ family, value });
});

test.each([
  ...['', '0', '127.1', '0177.0.0.1', '0x7f.0.0.1', '2130706433', '1.2.3.256', '1.2.3.4.5', ' 1.2.3.4', '1.2.3.4\n'],
  ...[':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', 'fe80::1%eth0', '[::1]'],
  ...['::ffff:127.1', '127.0.0.1::', '::1.2.3.4.5', '12345::', 'localhost'],
])('does not guess at %j', (text) => {
  expect(parseAddress(text)).toBeNull();
});

test.each([
  ...['10.0.0.0/33', '10.0.0.1/8', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '10.0.0.0/-1', '::/129', 'fd00::1/8'],
])('%s is no range', (text) => {
  expect(parseRange(text)).toBeNull();
});

const range = (text: string) => parseRange(text) ?? expect.unreachable(text);
const address = (text: string) => parseAddress(text) ?? expect.unreachable(text);

test('an address is in a range of its family by its first bits', () => {
  expect(isWithin(address('10.255.0.1'), range('10.0.0.0/8'))).toBe(true);
  expect(isWithin(address('11.0.0.0'), range('10.0.0.0/8'))).toBe(false);
  expect(isWithin(address('1.2.3.4'), range('0.0.0.0/0'))).toBe(true);
  expect(isWithin(address('::1'), range('0.0.0.0/0'))).toBe(false);
  expect(isWithin(address('::10.0.0.1'), range('10.0.0.0/8'))).toBe(false);
});

test('a range lies in another one when it is as narrow and begins in it', () => {
  expect(contains(range('10.0.0.0/8'), range('10.1.0.0/16'))).toBe(true);
  expect(contains(range('10.1.0.0/16'), range('10.0.0.0/8'))).toBe(false);
  expect(contains(range('10.0.0.0/8'), range('10.0.0.7'))).toBe(true);
});
