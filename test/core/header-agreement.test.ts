import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSentinel, paramMismatch, standardMismatch } from '#gateway/core/header-agreement.ts';
import { headerMirrors, isMirrorFlaw, mirrorHeaders } from '#gateway/core/header-mirrors.ts';
import { mcpHeaders } from '#test/support/values.ts';

const inBase64 = (text: string | Buffer): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

describe('the value of a header', () => {
  test.each([
    ['=?base64?eA==?=', 'x'],
    ['plain', 'plain'],
    ['', ''],
    ['=?BASE64?eA==?=', '=?BASE64?eA==?='],
    ['=?base64?eA==', '=?base64?eA=='],
    ['eA==?=', 'eA==?='],
    ['=?base64??=', ''],
    [inBase64('größe'), 'größe'],
    [inBase64(' x '), ' x '],
    [inBase64('=?base64?eA==?='), '=?base64?eA==?='],
    ['=?base64?eA=?=', null],
    ['=?base64?eA?=', null],
    ['=?base64?=?=', null],
    ['=?base64?e!==?=', null],
    ['=?base64?e A==?=', null],
    ['=?base64?-_==?=', null],
    ['=?base64?/w==?=', null],
    ['=?base64?=', null],
  ])('%s reads as %j', (value, name) => {
    expect(decodeSentinel(value)).toBe(name);
  });

  test('that is not ASCII reads as nothing: a server that takes the bytes for Latin-1 would see another name', () => {
    expect(decodeSentinel('gr\u00c3\u00b6\u00c3\u009fe')).toBeNull();
    expect(decodeSentinel('gr\u00f6\u00dfe')).toBeNull();
  });

  test('keeps a byte order mark, which is a part of another name', () => {
    expect(decodeSentinel(inBase64(Buffer.from([0xef, 0xbb, 0xbf, 0x78])))).toBe('\ufeffx');
  });
});

describe('the standard headers', () => {
  const call = { kind: 'request', id: 1, method: 'tools/call', params: { name: 'up__echo' } } as const;
  const said = (over: object = {}) => mcpHeaders({ method: 'tools/call', name: 'up__echo', ...over });

  test.each([
    ['the same', said()],
    ['the same in base64', said({ name: inBase64('up__echo') })],
  ])('agree with the body when they say %s', (_, headers) => {
    expect(standardMismatch(call, headers)).toBeNull();
  });

  test.each([
    ['no method', said({ method: undefined }), 'Mcp-Method'],
    ['another method', said({ method: 'tools/list' }), 'Mcp-Method'],
    ['the method in other letters', said({ method: 'Tools/Call' }), 'Mcp-Method'],
    ['no name', said({ name: undefined }), 'Mcp-Name'],
    ['another name', said({ name: 'up__other' }), 'Mcp-Name'],
    ['the name in other letters', said({ name: 'UP__ECHO' }), 'Mcp-Name'],
    ['a name in a broken encoding', said({ name: '=?base64?dXBfX2VjaG8?=' }), 'Mcp-Name'],
    ['the name behind a byte order mark', said({ name: inBase64('\ufeffup__echo') }), 'Mcp-Name'],
    ['something twice', said({ twice: 'mcp-name' }), 'mcp-name came twice'],
  ])('disagree with the body when they say %s', (_, headers, what) => {
    expect(standardMismatch(call, headers)).toContain(what);
  });

  test.each([
    ['resources/read', { uri: 'a://b' }, 'a://b'],
    ['prompts/get', { name: 'p' }, 'p'],
    ['tools/list', {}, undefined],
  ])('of %s mirror what that method names', (method, params, name) => {
    const request = { kind: 'request', id: 1, method, params } as const;
    expect(standardMismatch(request, mcpHeaders({ method, name }))).toBeNull();
    expect(standardMismatch(request, mcpHeaders({ method, name: 'x' })) === null).toBe(name === undefined);
  });

  test('are not to blame for a body that names nothing, and may not name it instead', () => {
    const nameless = { ...call, params: {} };
    expect(standardMismatch(nameless, said({ name: undefined }))).toBeNull();
    expect(standardMismatch(nameless, said())).toContain('Mcp-Name');
  });
});

describe('the headers of arguments', () => {
  const plain = (type: string, name: string) => ({ type, 'x-mcp-header': name });
  const inner = { type: 'object', properties: { on: plain('boolean', 'On') } };
  const properties = { region: plain('string', 'Region'), level: plain('integer', 'Level'), inner };
  const found = headerMirrors({ type: 'object', properties });
  const mirrors = isMirrorFlaw(found) ? [] : found;

  test.each<[string, object, Record<string, string>]>([
    ['say the same', { region: 'eu', level: 3, inner: { on: true } }, { region: 'eu', level: '3', on: 'true' }],
    ['say it in base64', { region: 'größe' }, { region: inBase64('größe') }],
    ['write an integer with a fraction', { level: 42 }, { level: '42.0' }],
    ['write an integer with zeros before it', { level: 42 }, { level: '042' }],
    ['write minus zero', { level: 0 }, { level: '-0.0' }],
    ['are absent, as what they mirror is', {}, {}],
    ['are absent for null', { region: null }, {}],
    ['are there, and what they mirror is not', {}, { region: 'eu' }],
    ['are there for null', { region: null }, { region: 'eu' }],
    ['are unknown', { region: 'eu' }, { region: 'eu', unknown: 'x' }],
    ['are absent for an integer that has no agreed text', { level: 2 ** 60 }, {}],
  ])('agree when they %s', (_, args, headers) => {
    expect(paramMismatch(mirrors, args as never, named(headers))).toBeNull();
  });

  test.each<[string, object, Record<string, string>]>([
    ['are missing', { region: 'eu' }, {}],
    ['are missing for an empty text', { region: '' }, {}],
    ['say something else', { region: 'eu' }, { region: 'us' }],
    ['say it in other letters', { region: 'eu' }, { region: 'EU' }],
    ['are in a broken encoding', { region: 'eu' }, { region: '=?base64?ZXU?=' }],
    ['say another integer', { level: 42 }, { level: '43' }],
    ['say an integer in another notation', { level: 42 }, { level: '4.2e1' }],
    ['say an integer in hexadecimal', { level: 42 }, { level: '0x2a' }],
    ['say what a double takes for the same', { level: 9007199254740991 }, { level: '9007199254740991.0000001' }],
    ['say nothing', { level: 0 }, { level: '' }],
    ['say true in other letters', { inner: { on: true } }, { on: 'True' }],
    ['say 1 for true', { inner: { on: true } }, { on: '1' }],
    ['are missing for what lies deeper', { inner: { on: false } }, {}],
    ['contradict an integer that has no agreed text', { level: 2 ** 60 }, { level: '1' }],
  ])('disagree when they %s', (_, args, headers) => {
    expect(paramMismatch(mirrors, args as never, named(headers))).not.toBeNull();
  });

  test('agree when they were written from the same arguments, whatever these are', () => {
    const region = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(region, fc.maxSafeInteger(), fc.boolean(), (region, level, on) => {
        const args = { region, level, inner: { on } };
        expect(paramMismatch(mirrors, args, mirrorHeaders(mirrors, args))).toBeNull();
      }),
    );
  });

  test('never agree when the texts differ', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (region, other) => {
        fc.pre(region !== other);
        expect(paramMismatch(mirrors, { region }, mirrorHeaders(mirrors, { region: other }))).not.toBeNull();
      }),
    );
  });
});

const named = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [`mcp-param-${name}`, value]));
