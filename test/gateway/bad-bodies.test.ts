import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aCallMessage, type BadInput, startBadInput } from '#test/support/bad-input.ts';
import { openSession } from '#test/support/messages.ts';
import { postLines, sendRaw } from '#test/support/raw-http.ts';

/** Bodies that are no message, or not one that two programs read alike. */

let bad: BadInput;
let token: string;

beforeAll(async () => {
  bad = await startBadInput();
});

afterAll(() => bad?.close());

beforeEach(async () => {
  token = await bad.sekisho.token();
  bad.upstream.calls.clear();
});

/** What every bad message must leave: its reason in one audit line, nothing upstream, the token nowhere. */
async function expectRefused<Got extends { readonly status: number; readonly text: string }>(
  { status, reason }: { readonly status: number; readonly reason: string },
  send: () => Promise<Got>,
): Promise<Got> {
  const left = await bad.leftBy(send, token);
  expect(left).toMatchObject({ status, reasons: [reason], reached: 0, leaks: [] });
  return left;
}

describe('a body', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const withArguments = (args: string): string =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"up__echo","arguments":${args}}}`;

  test.each([
    ['nothing', ''],
    ['no JSON', '{"jsonrpc":'],
    ['two documents', '{} {}'],
    ['a comment', '{/**/}'],
    ['a byte order mark', '\uFEFF{}'],
    ['a batch', JSON.stringify([aCallMessage(), aCallMessage()])],
    ['an empty batch', '[]'],
    ['a text', '"tools/call"'],
    ['nesting that is too deep', withArguments(`{"message":${nested(64)}}`)],
    ['nesting without end', `${'['.repeat(30_000)}`],
    ['a member twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}'],
    ['a member twice, once escaped', withArguments('{"message":"a","mess\\u0061ge":"b"}')],
    ['__proto__', withArguments('{"__proto__":{"x":1}}')],
    ['a lone surrogate', withArguments('{"message":"\\ud800"}')],
    ['a NUL', withArguments('{"message":"\\u0000"}')],
    ['a number that no double holds', withArguments('{"message":9007199254740993}')],
    ['a look-alike of a protocol member', withArguments('{}').replace('"name"', '"Name":"x","name"')],
    ['no jsonrpc', '{"id":1,"method":"ping"}'],
    ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}'],
    ['an id that is a fraction', '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}'],
    ['a result and a method', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}'],
    ['parameters that are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}'],
  ])('with %s is refused as malformed', async (_, body) => {
    const session = await openSession(bad.sekisho, { token });
    await expectRefused({ status: 400, reason: 'message_malformed' }, () => bad.posted(body, { ...session.headers }));
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('that is not UTF-8 is refused as malformed', async () => {
    const body = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'),
      Buffer.from([0xc3, 0x28, 0x22, 0x7d]),
    ]);
    const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}` });
    await expectRefused({ status: 400, reason: 'message_malformed' }, () => bad.raw(lines, body));
  });

  test('over the limit is refused with 413, whether it says its length or not', async () => {
    const body = JSON.stringify(aCallMessage({ message: 'x'.repeat(300_000) }));
    const authorization = `Bearer ${token}`;
    await expectRefused({ status: 413, reason: 'message_malformed' }, () => bad.posted(body, { authorization }));
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const lines = postLines('/mcp', null, { authorization, 'transfer-encoding': 'chunked' });
    await expectRefused({ status: 413, reason: 'message_malformed' }, () => bad.raw(lines, chunks));
  });

  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/json garbage'],
    ['application/json\ta'],
    ['application/jsonx'],
    ['application/json, text/plain'],
    [null],
  ])('of type %s is refused with 415', async (type) => {
    const body = JSON.stringify(aCallMessage());
    const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}`, 'content-type': type });
    await expectRefused({ status: 415, reason: 'message_malformed' }, () => bad.raw(lines, body));
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])(
    'of type %s is read',
    async (type) => {
      const session = await openSession(bad.sekisho, { token });
      const { status } = await bad.posted(
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { ...session.headers, 'content-type': type },
      );
      expect(status).toBe(200);
    },
  );

  test.each(['gzip', 'br', 'deflate', 'gzip, gzip'])('in content encoding %s is refused with 415', async (encoding) => {
    const headers = { authorization: `Bearer ${token}`, 'content-encoding': encoding };
    await expectRefused({ status: 415, reason: 'message_malformed' }, () => bad.posted(aCallMessage(), headers));
  });

  test('framed in two ways is refused before it is read', async () => {
    const body = JSON.stringify(aCallMessage());
    const usual = postLines('/mcp', body.length, { authorization: `Bearer ${token}` });
    for (const second of [
      'transfer-encoding: chunked',
      `content-length: ${body.length + 1}`,
      'transfer-encoding: xchunked',
    ]) {
      const answer = await sendRaw(bad.sekisho.origin, [...usual, second], body);
      expect(answer.status).toBe(400);
    }
    expect(bad.upstream.calls.size).toBe(0);
  });
});
