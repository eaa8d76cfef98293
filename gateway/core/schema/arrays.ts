import { canonical } from '#gateway/core/canonical.ts';
import type { JsonObject, JsonValue } from '#gateway/core/json.ts';
import {
  type Keyword,
  type Maker,
  type Marks,
  misfit,
  type Node,
  type Run,
  spend,
  tries,
  Unusable,
  within,
} from './node.ts';
import { weigh } from './scalars.ts';

/** The tuple in front and the schema of the rest, as either era of JSON Schema writes them. */
function parts(schema: JsonObject, make: Maker): { readonly front: readonly Node[]; readonly rest: Node | null } {
  const { prefixItems, items, additionalItems } = schema;
  if (Array.isArray(items)) {
    const rest = additionalItems === undefined ? null : make.node(additionalItems);
    return { front: items.map((one) => make.node(one)), rest };
  }
  if (prefixItems === undefined || make.old) return { front: [], rest: items === undefined ? null : make.node(items) };
  if (!Array.isArray(prefixItems)) throw new Unusable('"prefixItems" is no list of schemas');
  const front = prefixItems.map((one) => make.node(one));
  return { front, rest: items === undefined ? null : make.node(items) };
}

const items: Keyword = (schema, make) => {
  const { front, rest } = parts(schema, make);
  if (front.length === 0 && rest === null) return null;
  return (value, run, marks) => {
    if (!Array.isArray(value)) return true;
    const end = rest ? value.length : Math.min(front.length, value.length);
    for (let at = 0; at < end; at++) {
      spend(run, 1);
      const node = front[at] ?? rest;
      if (node && !within(node, value[at] as JsonValue, at, run)) return false;
    }
    if (marks) marks.upTo = Math.max(marks.upTo, end);
    return true;
  };
};

const contains: Keyword = (schema, make) => {
  if (schema.contains === undefined) return null;
  const node = make.node(schema.contains);
  const least = make.old ? 1 : (count(schema, 'minContains') ?? 1);
  const most = make.old ? null : count(schema, 'maxContains');
  return (value, run, marks) => {
    if (!Array.isArray(value)) return true;
    let found = 0;
    for (const [at, one] of value.entries()) {
      spend(run, 1);
      if (!tries(node, one, run, null)) continue;
      found++;
      marks?.items.add(at);
    }
    const fits = found >= least && (most === null || found <= most);
    return fits || misfit(run, 'must hold another number of the items that its schema asks for');
  };
};

export function count(schema: JsonObject, name: string): number | null {
  const value = schema[name];
  if (value === undefined) return null;
  if (typeof value !== 'number') throw new Unusable(`"${name}" is no number`);
  return value;
}

const size =
  (name: 'minItems' | 'maxItems'): Keyword =>
  (schema) => {
    const limit = count(schema, name);
    if (limit === null) return null;
    const why = `must have at ${name === 'maxItems' ? 'most' : 'least'} ${limit} items`;
    return (value, run) => {
      if (!Array.isArray(value)) return true;
      return (name === 'maxItems' ? value.length <= limit : value.length >= limit) || misfit(run, why);
    };
  };

/** Each is looked up once: comparing every pair would take the square of their number. */
const uniqueItems: Keyword = ({ uniqueItems: wanted }) => {
  if (wanted === undefined || wanted === false) return null;
  if (wanted !== true) throw new Unusable('"uniqueItems" is neither true nor false');
  return (value, run) => !Array.isArray(value) || distinct(value, run) || misfit(run, 'must not hold an item twice');
};

function distinct(values: readonly JsonValue[], run: Run): boolean {
  const scalars = new Set<JsonValue>();
  const texts = new Set<string>();
  for (const one of values) {
    weigh(one, run);
    if (typeof one === 'object' && one !== null) texts.add(canonical(one));
    else scalars.add(one);
  }
  return scalars.size + texts.size === values.length;
}

export const arrays: readonly Keyword[] = [size('minItems'), size('maxItems'), items, contains, uniqueItems];

/** Last of all: it is about what the others did not look at. */
export const unevaluatedItems: Keyword = (schema, make) => {
  if (schema.unevaluatedItems === undefined || make.old) return null;
  const node = make.node(schema.unevaluatedItems);
  return (value, run, marks) => {
    if (!Array.isArray(value) || !marks) return true;
    for (let at = marks.upTo; at < value.length; at++) {
      spend(run, 1);
      if (!marks.items.has(at) && !within(node, value[at] as JsonValue, at, run)) return false;
    }
    marks.upTo = value.length;
    return true;
  };
};

export const merge = (from: Marks, into: Marks, run: Run): void => {
  spend(run, 3 * (from.names.size + from.items.size));
  for (const name of from.names) into.names.add(name);
  for (const at of from.items) into.items.add(at);
  into.upTo = Math.max(into.upTo, from.upTo);
};
