import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pointerName } from './json-pointer.ts';

/** One change of a JSON document: the part of RFC 6902 that says what becomes of one place. */
export type PatchOp =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string };

/** The members of a JSON pointer; null for what is none, the whole document, and names that reach a prototype. */
export function pathOf(pointer: unknown): readonly string[] | null {
  if (typeof pointer !== 'string' || !pointer.startsWith('/') || /~(?![01])/.test(pointer)) return null;
  const parts = pointer.slice(1).split('/').map(pointerName);
  return parts.includes('__proto__') ? null : parts;
}

/** The document after all of the changes, the one before untouched; null where one of them does not apply. */
export function patched(document: JsonObject, ops: readonly PatchOp[]): JsonObject | null {
  let now: JsonValue | undefined = document;
  for (const op of ops) {
    const path = pathOf(op.path);
    now = path === null ? undefined : change(now, path, op);
    if (now === undefined) return null;
  }
  return isJsonObject(now) ? now : null;
}

function change(
  at: JsonValue | undefined,
  [name = '', ...rest]: readonly string[],
  op: PatchOp,
): JsonValue | undefined {
  if (Array.isArray(at)) return changeElement(at, name, rest, op);
  if (!isJsonObject(at)) return undefined;
  const there = Object.hasOwn(at, name) ? at[name] : undefined;
  if (rest.length > 0) {
    const inner = there === undefined ? undefined : change(there, rest, op);
    return inner === undefined ? undefined : { ...at, [name]: inner };
  }
  if (there === undefined && op.op !== 'add') return undefined;
  if (op.op !== 'remove') return { ...at, [name]: op.value };
  const { [name]: removed, ...others } = at;
  return others;
}

function changeElement(
  list: readonly JsonValue[],
  name: string,
  rest: readonly string[],
  op: PatchOp,
): JsonValue | undefined {
  const index = name === '-' ? list.length : /^(?:0|[1-9]\d{0,8})$/.test(name) ? Number(name) : -1;
  const there = list[index];
  if (rest.length > 0) {
    const inner = there === undefined ? undefined : change(there, rest, op);
    return inner === undefined ? undefined : list.with(index, inner);
  }
  if (op.op === 'add') return index < 0 || index > list.length ? undefined : list.toSpliced(index, 0, op.value);
  if (there === undefined) return undefined;
  return op.op === 'remove' ? list.toSpliced(index, 1) : list.with(index, op.value);
}
