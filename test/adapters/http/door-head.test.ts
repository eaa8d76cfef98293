import { describe, expect, test } from 'vitest';
import { readPlainHead } from '#gateway/adapters/http/door-head.ts';
import { createChance } from '#test/fuzz/chance.ts';
import { difference, mutated } from '#test/support/door-differential.ts';

const head = (line = 'POST /mcp HTTP/1.1', ...fields: string[]): string =>
  [line, 'Host: x', 'Content-Type: application/json', 'Content-Length: 5', ...fields].join('\r\n');

describe('the door takes', () => {
  test('a plain POST, with its names in lower case', () => {
    expect(readPlainHead(head(undefined, 'Authorization: Bearer a', 'MCP-Session-Id: s'))).toEqual({
      path: '/mcp',
      headers: {
        host: 'x',
        'content-type': 'application/json',
        'content-length': '5',
        authorization: 'Bearer a',
        'mcp-session-id': 's',
      },
      length: 5,
    });
  });

  test.each([
    ['the view of a server', head('POST /mcp/server/a-1 HTTP/1.1')],
    ['a kept connection', head(undefined, 'connection: Keep-Alive')],
    ['a value without a space before it', head(undefined, 'accept:*/*')],
    ['a proof', head(undefined, 'Authorization: DPoP a', 'DPoP: b.c.d')],
    ['a mirrored parameter', head(undefined, 'Mcp-Param-Region: eu')],
  ])('%s', (_, text) => {
    expect(readPlainHead(text)).not.toBeNull();
    expect(difference(`${text}\r\n\r\n`)).toEqual({ accepted: true, difference: null });
  });
});

describe('the door leaves to Node', () => {
  const without = (name: string): string => head().replace(new RegExp(`${name}: .*\r\n|\r\n${name}: .*$`), '');
  test.each([
    ['another method', head('GET /mcp HTTP/1.1')],
    ['another path', head('POST /oauth/token HTTP/1.1')],
    ['a path it would have to interpret', head('POST /mcp/ HTTP/1.1')],
    ['a query', head('POST /mcp?a=b HTTP/1.1')],
    ['an absolute target', head('POST http://x/mcp HTTP/1.1')],
    ['an older version', head('POST /mcp HTTP/1.0')],
    ['a lower-case version', head('POST /mcp http/1.1')],
    ['two spaces in the request line', head('POST  /mcp HTTP/1.1')],
    ['no Host', without('Host')],
    ['no Content-Length', without('Content-Length')],
    ['two of one name', head(undefined, 'host: y')],
    ['two proofs', head(undefined, 'DPoP: a', 'dpop: b')],
    ['two equal lengths', head(undefined, 'content-length: 5')],
    ['an empty body', head().replace('Length: 5', 'Length: 0')],
    ['a length with a sign', head().replace('Length: 5', 'Length: +5')],
    ['a length with a leading zero', head().replace('Length: 5', 'Length: 05')],
    ['a length in hexadecimal', head().replace('Length: 5', 'Length: 0x5')],
    ['a list of lengths', head().replace('Length: 5', 'Length: 5, 5')],
    ['a length past nine digits', head().replace('Length: 5', 'Length: 1234567890')],
    ['a transfer encoding', head(undefined, 'Transfer-Encoding: chunked')],
    ['an expectation', head(undefined, 'Expect: 100-continue')],
    ['an upgrade', head(undefined, 'Connection: Upgrade', 'Upgrade: h2c')],
    ['a connection that ends', head(undefined, 'Connection: close')],
    ['a content encoding', head(undefined, 'Content-Encoding: gzip')],
    ['a name it does not know', head(undefined, 'X-Anything: 1')],
    ['a space before the colon', head(undefined, 'Accept : x')],
    ['two spaces after the colon', head(undefined, 'Accept:  x')],
    ['a tab after the colon', head(undefined, 'Accept:\tx')],
    ['a space after the value', head(undefined, 'Accept: x ')],
    ['an empty value', head(undefined, 'Accept:')],
    ['a folded line', head(undefined, 'Accept: x', ' y')],
    ['a bare line feed', head(undefined, 'Accept: x\nMcp-Name: y')],
    ['a bare carriage return', head(undefined, 'Accept: x\rMcp-Name: y')],
    ['a byte past ASCII', head(undefined, 'Accept: \xe9')],
    ['a NUL', head(undefined, 'Accept: a\0b')],
    ['more fields than anybody sends', head(undefined, ...Array.from({ length: 64 }, (_, i) => `mcp-param-${i}: x`))],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(readPlainHead(text)).toBeNull();
  });
});

test('whatever the door takes of 60,000 mutated requests, Node reads in the same way', () => {
  const random = createChance(Number(process.env.SEKISHO_FUZZ_SEED ?? 1)).fraction;
  const found: string[] = [];
  let accepted = 0;
  for (let i = 0; i < 60_000; i++) {
    const text = mutated(random);
    const seen = difference(text);
    if (seen.accepted) accepted++;
    if (seen.difference !== null) found.push(JSON.stringify(text), seen.difference);
  }
  expect(found).toEqual([]);
  // A fuzz whose requests are all left to Node would prove nothing.
  expect(accepted).toBeGreaterThan(5_000);
});
