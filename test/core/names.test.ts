import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exposedName } from '#gateway/core/names.ts';

const hex = (text: string) => hash('sha256', text, 'hex');
const server = fc.string({ unit: fc.constantFrom(...'abc019-'), minLength: 1, maxLength: 12 });
const tool = fc.string({ minLength: 1, maxLength: 80 });

describe('an exposed name', () => {
  test('is the server and the tool', () => {
    expect(exposedName('files', 'read_file', hex)).toBe('files__read_file');
  });

  test('is cut at 40 and ends in a digest when it is too long', () => {
    const name = exposedName('tickets', 'a_tool_with_a_name_that_no_host_would_accept_whole', hex);
    expect(name).toMatch(/^tickets__a_tool_with_a_name_that_no_host__?_?[0-9a-f]{6}$/);
    expect(name.length).toBeLessThanOrEqual(48);
  });

  test('is the same at every start', () => {
    expect(exposedName('a', 'x'.repeat(99), hex)).toBe(exposedName('a', 'x'.repeat(99), hex));
  });

  test('always fits every host', () => {
    fc.assert(
      fc.property(server, tool, (s, t) => {
        expect(exposedName(s, t, hex)).toMatch(/^[A-Za-z0-9_-]{1,48}$/);
      }),
    );
  });

  test('never meets a name of another server', () => {
    fc.assert(
      fc.property(server, server, tool, tool, (a, b, one, other) => {
        fc.pre(a !== b);
        expect(exposedName(a, one, hex)).not.toBe(exposedName(b, other, hex));
      }),
    );
  });
});
