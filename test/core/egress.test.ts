import { expect, test } from 'vitest';
import { classOf, isClosedUrl, mayDial, openedRanges, rangeTrouble } from '#gateway/core/egress.ts';

const nothing = openedRanges([]);

test.each([...['1.1.1.1', '8.8.8.8', '192.0.1.1', '172.15.0.1', '172.32.0.1', '100.63.0.1', '2606:4700::1111']])(
  '%s is public',
  (text) => {
    expect(classOf(text, nothing)).toBe('public');
  },
);

test.each([
  ['loopback', '127.0.0.1'],
  ['the rest of loopback', '127.255.255.254'],
  ['private, 10/8', '10.0.0.1'],
  ['private, 172.16/12', '172.31.255.255'],
  ['private, 192.168/16', '192.168.0.1'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['this network', '0.0.0.0'],
  ['link-local: cloud metadata', '169.254.169.254'],
  ['cloud metadata of ECS tasks', '169.254.170.2'],
  ["Azure's wire server", '168.63.129.16'],
  ["Alibaba's metadata", '100.100.100.200'],
  ['benchmarks', '198.18.0.1'],
  ['documentation', '203.0.113.7'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['loopback, IPv6', '::1'],
  ['unspecified, IPv6', '::'],
  ['unique local', 'fd12::1'],
  ["AWS's metadata on IPv6", 'fd00:ec2::254'],
  ["Google's metadata on IPv6", 'fd20:ce::254'],
  ['link-local, IPv6', 'fe80::1'],
  ['site-local', 'fec0::1'],
  ['multicast, IPv6', 'ff02::1'],
  ['IPv4-mapped', '::ffff:127.0.0.1'],
  ['IPv4-mapped, in groups', '::ffff:7f00:1'],
  ['IPv4-mapped and public', '::ffff:8.8.8.8'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['NAT64, local', '64:ff9b:1::a00:1'],
  ['6to4 around 127.0.0.1', '2002:7f00:1::'],
  ['Teredo', '2001::1'],
  ['ORCHID', '2001:20::1'],
  ['documentation, IPv6', '2001:db8::1'],
  ['documentation, IPv6, the newer', '3fff::1'],
  ['segment routing', '5f00::1'],
  ['a zone', 'fe80::1%eth0'],
  ['no address', 'localhost'],
])('refuses %s', (_, text) => {
  expect(classOf(text, nothing)).toBe('refused');
});

test('what the config opened is private, and only that', () => {
  const opened = openedRanges(['10.20.0.0/16', '::1']);
  expect(classOf('10.20.3.4', opened)).toBe('private');
  expect(classOf('10.21.0.1', opened)).toBe('refused');
  expect(classOf('::1', opened)).toBe('private');
  expect(classOf('127.0.0.1', opened)).toBe('refused');
});

test.each(['100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254'])(
  'metadata at %s stays closed, whatever was opened around it',
  (text) => {
    const opened = openedRanges(['100.64.0.0/10', 'fc00::/7']);
    expect(classOf(text, opened)).toBe('refused');
  },
);

test.each([
  '0.0.0.0/0',
  '169.254.0.0/16',
  '169.254.169.254',
  '8.8.8.8',
  '::/0',
  'fe80::/10',
  '::ffff:0:0/96',
  '8.0.0.0/5',
])('a config cannot open %s', (text) => {
  expect(rangeTrouble(text)).toMatch(/is not a private range/);
});

test.each(['10.0.0.1/8', 'localhost', '', '10/8'])('%j is no range', (text) => {
  expect(rangeTrouble(text)).toMatch(/is not an address range/);
});

test('every answer must be good, and all of one class', () => {
  const opened = openedRanges(['10.0.0.0/8']);
  expect(mayDial(['1.1.1.1', '2606:4700::1111'], opened)).toBe(true);
  expect(mayDial(['10.0.0.1', '10.0.0.2'], opened)).toBe(true);
  expect(mayDial(['1.1.1.1', '10.0.0.1'], opened)).toBe(false);
  expect(mayDial(['1.1.1.1', '127.0.0.1'], opened)).toBe(false);
  expect(mayDial([], opened)).toBe(false);
});

test.each([
  ...['http://169.254.169.254', 'http://localhost:9000', 'http://LOCALHOST', 'http://a.localhost', 'http://localhost.'],
  ...['http://0', 'http://0177.0.0.1', 'http://2130706433', 'http://0x7f.1', 'http://127.1', 'http://127.0.0.1.'],
  ...['http://[::ffff:127.0.0.1]', 'http://[::1]/mcp', 'http://10.0.0.1', 'http://１２７.0.0.1'],
])('%s is closed before any name is asked', (url) => {
  expect(isClosedUrl(url, nothing)).toBe(true);
});

test('a name is judged when it is looked up, and an opened address is open', () => {
  expect(isClosedUrl('https://mcp.example.com', nothing)).toBe(false);
  expect(isClosedUrl('http://127.0.0.1:9000', openedRanges(['127.0.0.1']))).toBe(false);
  expect(isClosedUrl('http://localhost:9000', openedRanges(['127.0.0.0/8']))).toBe(false);
});

test.each(['10.0.0.1/8', 'localhost', '', '169.254.0.0/33'])(
  'a list with %j in it, which is no range, is not taken without it',
  (text) => {
    expect(() => openedRanges(['127.0.0.1', text])).toThrow('is not an address range');
  },
);
