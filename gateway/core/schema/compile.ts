import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { arrays, merge, unevaluatedItems } from './arrays.ts';
import { combined, verdict } from './combined.ts';
import {
  always,
  type Keyword,
  type Maker,
  type Node,
  noMarks,
  OutOfFuel,
  type Pattern,
  spend,
  Unusable,
} from './node.ts';
import { objects, unevaluatedProperties } from './objects.ts';
import { placesIn, resolve } from './references.ts';
import { scalars } from './scalars.ts';

/** Gives what matches a pattern in time linear in the text, or null where there is no such thing. */
export type Patterns = (source: string) => Pattern | null;

const keywords: readonly Keyword[] = [...scalars, ...arrays, ...objects, ...combined];
const last: readonly Keyword[] = [unevaluatedItems, unevaluatedProperties];

const mostSchemas = 8_192;
/** Of all different patterns together: to make 2,000 takes 35 ms. */
const mostInstructions = 3_000;
/** Schemas inside one another while a value is checked: a loop that eats nothing of the value ends here, before the stack. */
const mostDepth = 500;

/**
 * A JSON Schema (2020-12, or draft-07 where it says so) as closures. No code is generated from it, nothing is fetched,
 * and what it may cost is counted while it runs (identity-and-trust.md E8).
 *
 * @throws Unusable for a schema that is not one, or that asks for what is not done here.
 */
export function compile(root: JsonValue, patterns: Patterns): Node {
  const made = new Map<JsonValue, { node: Node }>();
  const places = placesIn(root);
  const waiting: (() => void)[] = [];
  const read = new Map<string, Pattern>();
  let schemas = 0;
  let instructions = 0;
  const old = isJsonObject(root) && typeof root.$schema === 'string' && /draft-0[3-7]/.test(root.$schema);

  function nodeOf(schema: JsonValue | undefined, base: JsonValue): Node {
    if (typeof schema === 'boolean') return verdict(schema);
    if (!isJsonObject(schema)) throw new Unusable('a part of it is neither an object nor true nor false');
    const known = made.get(schema);
    // It may be in the making still, where it refers to itself.
    if (known) return (value, run, marks) => known.node(value, run, marks);
    if (++schemas > mostSchemas) throw new Unusable(`it holds more than ${mostSchemas} schemas`);
    const slot = { node: always };
    made.set(schema, slot);
    const own = !old && typeof schema.$id === 'string' ? schema : base;
    slot.node = assemble(schema, makerFor(own));
    return slot.node;
  }

  /** What a `$ref` leads to is made after what it stands in: a chain of them must not be as deep as it is long. */
  function nodeLater(schema: JsonValue, base: JsonValue): Node {
    const slot = { node: always };
    waiting.push(() => {
      slot.node = nodeOf(schema, base);
    });
    return (value, run, marks) => {
      // It eats nothing of the value: references to one another are how a small schema asks for much work.
      spend(run, 2);
      return slot.node(value, run, marks);
    };
  }

  const makerFor = (base: JsonValue): Maker => ({
    old,
    node: (schema) => nodeOf(schema, base),
    refer(ref) {
      const target = resolve(ref, base, places);
      return nodeLater(target.schema, target.base);
    },
    pattern(source) {
      const known = read.get(source);
      if (known) return known;
      const pattern = patterns(source);
      if (!pattern) throw new Unusable(`its pattern ${JSON.stringify(source.slice(0, 60))} has no linear match`);
      instructions += pattern.size;
      if (instructions > mostInstructions) throw new Unusable('its patterns are larger than they may be together');
      read.set(source, pattern);
      return pattern;
    },
  });
  const whole = nodeOf(root, root);
  for (const make of waiting) make();
  return whole;
}

function assemble(schema: JsonObject, make: Maker): Node {
  if (schema.$dynamicRef !== undefined || schema.$recursiveRef !== undefined) {
    throw new Unusable('it refers dynamically ("$dynamicRef"), which is not followed here');
  }
  // Beside `$ref` nothing counted before 2019-09.
  const own = make.old && schema.$ref !== undefined ? { $ref: schema.$ref } : schema;
  const nodes = keywords.flatMap((keyword) => keyword(own, make) ?? []);
  const ends = last.flatMap((keyword) => keyword(own, make) ?? []);
  if (ends.length > 0) {
    return counted((value, run, marks) => {
      // Only what stands beside it counts as looked at, not what a schema around it did.
      const looked = noMarks();
      for (const node of nodes) if (!node(value, run, looked)) return false;
      for (const node of ends) if (!node(value, run, looked)) return false;
      if (marks) merge(looked, marks, run);
      return true;
    });
  }
  const [first, second] = nodes;
  if (!first) return always;
  if (!second) return counted(first);
  return counted((value, run, marks) => {
    for (const node of nodes) if (!node(value, run, marks)) return false;
    return true;
  });
}

const counted =
  (node: Node): Node =>
  (value, run, marks) => {
    spend(run, 1);
    if (++run.depth > mostDepth) throw new OutOfFuel();
    const fits = node(value, run, marks);
    run.depth--;
    return fits;
  };
