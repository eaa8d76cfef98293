import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { type PatchOp, patched, pathOf } from '#gateway/core/json-patch.ts';

const add = (path: string, value: JsonObject[string] = 1): PatchOp => ({ op: 'add', path, value: value ?? null });
const replace = (path: string, value = 1): PatchOp => ({ op: 'replace', path, value });
const remove = (path: string): PatchOp => ({ op: 'remove', path });

test.each<[string, JsonObject, PatchOp[], JsonObject | null]>([
  ['adds a member', { a: 0 }, [add('/b')], { a: 0, b: 1 }],
  ['adds in the place of a member', { a: 0 }, [add('/a')], { a: 1 }],
  ['adds an element', { l: [1, 2] }, [add('/l/1', 9), add('/l/-', 8)], { l: [1, 9, 2, 8] }],
  ['replaces deep down', { a: { b: [{ c: 0 }] } }, [replace('/a/b/0/c')], { a: { b: [{ c: 1 }] } }],
  ['removes a member and an element', { a: 0, l: [1, 2] }, [remove('/a'), remove('/l/0')], { l: [2] }],
  ['unescapes names', { 'a/b': 0, 'm~n': 0 }, [replace('/a~1b'), replace('/m~0n')], { 'a/b': 1, 'm~n': 1 }],
  ['does one after the other', {}, [add('/a', {}), add('/a/b')], { a: { b: 1 } }],
  ['replaces nothing that is not there', {}, [replace('/a')], null],
  ['removes nothing that is not there', { l: [] }, [remove('/l/0')], null],
  ['adds nothing below what is not there', {}, [add('/a/b')], null],
  ['adds nothing past the end', { l: [] }, [add('/l/1')], null],
  ['adds nothing at what is no index', { l: [1] }, [add('/l/01')], null],
  ['reaches into no text', { a: 'x' }, [replace('/a/0')], null],
  ['reaches no prototype', {}, [replace('/constructor/name')], null],
])('a patch %s', (_, document, ops, wanted) => {
  const before = structuredClone(document);
  expect(patched(document, ops)).toEqual(wanted);
  expect(document).toEqual(before);
});

test.each(['', 'a', '/a~2', '/__proto__', '/a/__proto__/b', 7, null])('%j is no place to patch', (pointer) => {
  expect(pathOf(pointer)).toBeNull();
});

test('what was added at any name can be taken away again, and no prototype was touched', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue({ maxDepth: 2 }), (name, value) => {
      const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const added = patched({ kept: 1 }, [add(path, value as never)]);
      if (pathOf(path) === null) {
        expect(added).toBeNull();
        return;
      }
      expect(Object.hasOwn(added ?? {}, name)).toBe(true);
      if (name !== 'kept') expect(patched(added ?? {}, [remove(path)])).toEqual({ kept: 1 });
      expect(Object.hasOwn(Object.prototype, name) && !(name in {})).toBe(false);
    }),
    { examples: [['__proto__', []]] },
  );
});
