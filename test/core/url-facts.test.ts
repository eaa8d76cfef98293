import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { urlFact, urlFacts, urlPointers } from '#gateway/core/url-facts.ts';
import { cost, onThisMachine } from '#test/support/cpu-time.ts';

describe('a URL whose host every reader finds', () => {
  test.each([
    ['https://api.example.com/a?b#c', { scheme: 'https', host: 'api.example.com', port: 443, ip_class: 'name' }],
    ['HTTP://API.Example.com:8080', { scheme: 'http', host: 'api.example.com', port: 8080, ip_class: 'name' }],
    ['https://example.com./x', { host: 'example.com', ip_class: 'name' }],
    ['http://8.8.8.8/', { host: '8.8.8.8', ip_class: 'public' }],
    ['http://10.1.2.3', { host: '10.1.2.3', ip_class: 'private' }],
    ['http://127.0.0.1:9', { host: '127.0.0.1', port: 9, ip_class: 'loopback' }],
    ['http://[::1]/', { host: '::1', ip_class: 'loopback' }],
    ['http://localhost.', { host: 'localhost', ip_class: 'loopback' }],
    ['http://a.localhost', { host: 'a.localhost', ip_class: 'loopback' }],
    ['http://169.254.169.254/latest/meta-data', { host: '169.254.169.254', ip_class: 'special' }],
    ['http://metadata.google.internal', { host: 'metadata.google.internal', ip_class: 'special' }],
    ['http://[fd00:ec2::254]/', { host: 'fd00:ec2::254', ip_class: 'special' }],
    ['http://[2606:4700::1111]/', { host: '2606:4700::1111', ip_class: 'public' }],
    ['ssh://git.example.com/x', { scheme: 'ssh', host: 'git.example.com', port: 22 }],
  ])('%s', (text, wanted) => {
    expect(urlFact(text)).toMatchObject(wanted);
  });
});

describe('a URL that two programs could read apart has no host', () => {
  test.each([
    'https://good.com@evil.com/',
    'https://good.com:443@evil.com/',
    'https://evil.com\\@good.com/',
    'https:\\\\evil.com',
    'https://good.com#@evil.com/',
    'https://good.com?@evil.com/',
    'https:evil.com',
    '//evil.com/x',
    'https://exa\tmple.com',
    ' https://example.com',
    'https://example.com\u0000.evil.com',
    'https://ex%61mple.com/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'git://127.1/',
    'http://１２７.0.0.1/',
    'https://exаmple.com/',
    'https://ⓔxample.com/',
    'http://[::ffff:127.0.0.1]/',
    'http://[fe80::1%25eth0]/',
    'http://1.2.3.4.5/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,x',
    'example.com',
    '',
  ])('%j', (text) => {
    expect(urlFact(text)).toMatchObject({ host: null, port: null, ip_class: 'unknown' });
  });
});

test('a host that is found is the one that Node would connect to', () => {
  const part = fc.constantFrom(
    'https://',
    'good.com',
    'evil.com',
    '@',
    ':',
    '80',
    '/',
    '\\',
    '.',
    '%2e',
    '[',
    ']',
    '#',
    '?',
    '1',
    '0x7f',
    'é',
    '\t',
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const text = `https://${parts.join('')}`;
      const { host } = urlFact(text);
      if (host === null) return;
      expect(new URL(text).hostname.replace(/\.$/, '').replace(/^\[|\]$/g, '')).toBe(host);
      expect(text.replace('//[', '//').startsWith(`https://${host}`)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('there is one fact for each URL that a pointer leads to, also inside of lists', () => {
  const args = {
    url: 'https://a.io',
    more: ['https://b.io', 'https://c.io'],
    sites: [{ at: 'https://d.io' }, {}],
    none: null,
  };
  const facts = urlFacts(args, ['/url', '/more', '/sites/*/at', '/none', '/absent']);
  expect(facts).toMatchObject([
    { pointer: '/url', host: 'a.io' },
    { pointer: '/more/0', host: 'b.io' },
    { pointer: '/more/1', host: 'c.io' },
    { pointer: '/sites/0/at', host: 'd.io' },
  ]);
  expect(urlFacts({ url: 5 }, ['/url'])).toMatchObject({ pointer: '/url', why: expect.any(String) });
});

test('a schema says itself which of its arguments are URLs', () => {
  const uri = { type: 'string', format: 'uri' };
  const schema = {
    type: 'object',
    properties: {
      site: uri,
      'a/b': uri,
      name: { type: 'string' },
      list: { type: 'array', items: uri },
      nested: { type: 'array', items: { type: 'object', properties: { link: uri } } },
    },
  };
  expect(urlPointers(schema)).toEqual(['/site', '/a~1b', '/list/*', '/nested/*/link']);
  let deep: object = uri;
  for (let i = 0; i < 50; i++) deep = { type: 'object', properties: { a: deep } };
  expect(urlPointers(deep as never)).toEqual([]);
});

test('also of those that may be left out, or are described elsewhere in it', () => {
  const uri = { type: 'string', format: 'uri' };
  const schema = {
    $defs: { link: uri, loop: { properties: { next: { $ref: '#/$defs/loop' }, at: uri } } },
    properties: {
      nullable: { type: ['string', 'null'], format: 'uri' },
      optional: { anyOf: [uri, { type: 'null' }] },
      untyped: { format: 'url' },
      referred: { $ref: '#/$defs/link' },
      elsewhere: { $ref: 'https://x.io/link.json' },
      loop: { $ref: '#/$defs/loop' },
    },
  };
  const pointers = urlPointers(schema);
  expect(pointers).toEqual(
    expect.arrayContaining(['/nullable', '/optional', '/untyped', '/referred', '/loop/at', '/loop/next/at']),
  );
  expect(pointers).not.toContain('/elsewhere');
  expect(urlFacts({ optional: null }, ['/optional'])).toEqual([]);
});

test('a schema that branches without end is looked at for a while only', () => {
  const $defs = {
    n: { properties: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`p${at}`, { $ref: '#/$defs/n' }])) },
  };
  expect(cost(() => urlPointers({ $defs, $ref: '#/$defs/n' }))).toBeLessThan(onThisMachine(50));
});
