import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { pointerPart } from '#gateway/core/json-pointer.ts';
import { compile, type Patterns } from './compile.ts';
import { type Node, OutOfFuel, type Run, Unusable } from './node.ts';

/** Why a value does not fit the schema that was approved for it. */
export interface Misfit {
  /** JSON pointer into the value. */
  readonly pointer: string;
  /** A clause: what it must be. */
  readonly why: string;
}

/** A sentence that a model can mend its call by: `arguments/city must be of type string.` */
export const describeMisfit = (what: string, { pointer, why }: Misfit): string => `${what}${pointer} ${why}.`;

/** What a tool's approved schemas ask of what goes in and comes out; null where they ask for nothing. */
export interface Contract {
  readonly input: ((value: JsonValue) => Misfit | null) | null;
  readonly output: ((value: JsonValue) => Misfit | null) | null;
  /** Why one of the two cannot be held to, a clause; then the tool is not used at all. */
  readonly flaw: string | null;
}

export const noContract: Contract = { input: null, output: null, flaw: null };

/** Steps that one value may cost: measured, at most 35 ms of work. */
const mostFuel = 1_000_000;

export function contractOf({ inputSchema, outputSchema }: JsonObject, patterns: Patterns): Contract {
  try {
    return {
      input: checkOf(inputSchema, patterns, 'object'),
      output: checkOf(outputSchema, patterns, null),
      flaw: null,
    };
  } catch (error) {
    if (error instanceof Unusable) return { ...noContract, flaw: error.message };
    throw error;
  }
}

/** Members that ask for nothing: a schema of these alone need not be run. */
const silent = new Set('$schema $id $comment title description default examples $defs definitions type'.split(' '));

/** `known`: the type that every value has already. Arguments are an object before anybody looks at a schema. */
function checkOf(schema: JsonValue | undefined, patterns: Patterns, known: 'object' | null): Contract['input'] {
  if (schema === undefined) return null;
  const node = compile(schema, patterns);
  const asks = !isJsonObject(schema) || Object.entries(schema).some(([name, value]) => !isSilent(name, value));
  if (!asks && isJsonObject(schema) && (schema.type === undefined || schema.type === known)) return null;
  return (value) => check(node, value);
}

const open = new Set(['properties', 'required', 'additionalProperties']);

const isSilent = (name: string, value: JsonValue | undefined): boolean =>
  silent.has(name) ||
  (open.has(name) &&
    (value === true || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)));

function check(node: Node, value: JsonValue): Misfit | null {
  const run: Run = { fuel: mostFuel, depth: 0, why: null, path: [] };
  try {
    if (node(value, run, null)) return null;
  } catch (error) {
    if (!(error instanceof OutOfFuel)) throw error;
    return { pointer: '', why: 'takes longer to check than a value may' };
  }
  const pointer = run.path
    .reverse()
    .map((part) => `/${pointerPart(String(part))}`)
    .join('');
  return { pointer, why: run.why ?? 'does not fit' };
}
