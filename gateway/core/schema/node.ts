import type { JsonObject, JsonValue } from '#gateway/core/json.ts';

/** One pass over one value. What it may cost is bounded before it begins: a schema is a program that a stranger wrote. */
export interface Run {
  /** What is left, in steps of about 40 ns. */
  fuel: number;
  depth: number;
  /** Why the value does not fit, a clause; and where, from the inside out. */
  why: string | null;
  readonly path: (string | number)[];
}

/** Which members and items of the value in hand a schema has looked at, for `unevaluated…`. */
export interface Marks {
  readonly names: Set<string>;
  /** Items below this index, and single ones. */
  upTo: number;
  readonly items: Set<number>;
}

export const noMarks = (): Marks => ({ names: new Set(), upTo: 0, items: new Set() });

/** Whether a value fits a schema. */
export type Node = (value: JsonValue, run: Run, marks: Marks | null) => boolean;

/** A pattern that is matched in time linear in the text. */
export interface Pattern {
  readonly source: string;
  /** Instructions of its program: what each character costs, at most. */
  readonly size: number;
  matches(text: string): boolean;
}

/** Matches, at its price. Measured: 40 ns an instruction and character, and as much as 64 of them for the engine itself. */
export function matches({ size, matches: test }: Pattern, text: string, run: Run): boolean {
  spend(run, 8 + text.length * (64 + size));
  return test(text);
}

/** What a keyword needs to become a node. */
export interface Maker {
  /** Of draft-07 or older: `$ref` stands alone, an array of `items` is a tuple. */
  readonly old: boolean;
  node(schema: JsonValue | undefined): Node;
  /** The schema that a `$ref` leads to. */
  refer(ref: string): Node;
  /** Throws `Unusable` where nothing matches in linear time. */
  pattern(source: string): Pattern;
}

/** One keyword of a schema, or null where the schema does not use it. */
export type Keyword = (schema: JsonObject, make: Maker) => Node | null;

/** A schema that is not used: a clause that says why. */
export class Unusable extends Error {}
/** More work than a value may cost. */
export class OutOfFuel extends Error {}

export function spend(run: Run, steps: number): void {
  run.fuel -= steps;
  if (run.fuel < 0) throw new OutOfFuel();
}

/** Notes the first thing that does not fit, and says no. */
export function misfit(run: Run, why: string): false {
  if (run.why === null) run.why = why;
  return false;
}

/** A part of the value in hand: where it does not fit, the place is noted on the way out. */
export function within(node: Node, part: JsonValue, key: string | number, run: Run): boolean {
  if (node(part, run, null)) return true;
  run.path.push(key);
  return false;
}

/** Tries a schema that need not fit: nothing is noted. */
export function tries(node: Node, value: JsonValue, run: Run, marks: Marks | null): boolean {
  const fits = node(value, run, marks);
  if (!fits) forget(run);
  return fits;
}

function forget(run: Run): void {
  run.why = null;
  run.path.length = 0;
}

export const always: Node = () => true;
