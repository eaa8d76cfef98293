import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pathOf } from './json-patch.ts';
import { pointerPart } from './json-pointer.ts';

/** An argument at a declared pointer that cannot be read as what the config says it is. */
export interface FactFlaw {
  readonly pointer: string;
  readonly why: string;
}

/** One argument, with the pointer that leads to exactly it. */
export interface ArgumentValue {
  readonly pointer: string;
  readonly value: JsonValue;
}

/** The arguments that a declared pointer leads to; `*` stands for every element of a list. What is null is left out. */
export function valuesAt(args: JsonObject, pointer: string): readonly ArgumentValue[] {
  let found: ArgumentValue[] = [{ pointer: '', value: args }];
  for (const name of pathOf(pointer) ?? []) found = found.flatMap((one) => membersOf(one, name));
  return found.filter(({ value }) => value !== null);
}

/** The same, and a list at its end stands for all of its elements. */
export const elementsAt = (args: JsonObject, pointer: string): readonly ArgumentValue[] =>
  valuesAt(args, pointer).flatMap((one) => (Array.isArray(one.value) ? membersOf(one, '*') : [one]));

function membersOf({ pointer, value }: ArgumentValue, name: string): ArgumentValue[] {
  if (Array.isArray(value)) {
    const all = value.map((one, index) => ({ pointer: `${pointer}/${index}`, value: one }));
    return name === '*' ? all : all.filter((_, index) => String(index) === name);
  }
  const inner = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return inner === undefined ? [] : [{ pointer: `${pointer}/${pointerPart(name)}`, value: inner }];
}
