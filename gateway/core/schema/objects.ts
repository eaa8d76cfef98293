import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { count } from './arrays.ts';
import { type Keyword, matches, misfit, type Node, spend, Unusable, within } from './node.ts';

/** Steps that each member of an object costs whoever lists them: measured at 100 ns, of an object with many. */
const listing = 3;

const names = (value: JsonValue | undefined, keyword: string): readonly string[] => {
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    throw new Unusable(`"${keyword}" is no list of names`);
  }
  return value as string[];
};

const record = (value: JsonValue | undefined, keyword: string): JsonObject => {
  if (!isJsonObject(value)) throw new Unusable(`"${keyword}" is no object`);
  return value;
};

const required: Keyword = (schema) => {
  // Draft-03 wrote `required: true` at the member itself; published tools still do, and it says nothing here.
  if (schema.required === undefined || typeof schema.required === 'boolean') return null;
  return needs(names(schema.required, 'required'));
};

const needs =
  (wanted: readonly string[]): Node =>
  (value, run) => {
    if (!isJsonObject(value)) return true;
    spend(run, wanted.length);
    const missing = wanted.find((name) => !Object.hasOwn(value, name));
    return missing === undefined || misfit(run, `lacks ${JSON.stringify(missing)}`);
  };

/** `properties`, `patternProperties` and `additionalProperties`: they share out the members between them. */
const members: Keyword = (schema, make) => {
  const { properties, patternProperties, additionalProperties } = schema;
  if (properties === undefined && patternProperties === undefined && additionalProperties === undefined) return null;
  const named = new Map(
    Object.entries(properties === undefined ? {} : record(properties, 'properties')).map(([name, one]) => [
      name,
      make.node(one),
    ]),
  );
  const matched = Object.entries(
    patternProperties === undefined ? {} : record(patternProperties, 'patternProperties'),
  ).map(([source, one]) => [make.pattern(source), make.node(one)] as const);
  const rest = additionalProperties === undefined ? null : make.node(additionalProperties);
  const closed = additionalProperties === false;
  return (value, run, marks) => {
    if (!isJsonObject(value)) return true;
    const all = Object.keys(value);
    spend(run, all.length * listing);
    for (const name of all) {
      const part = value[name] as JsonValue;
      const own = named.get(name);
      if (own && !within(own, part, name, run)) return false;
      let looked = own !== undefined;
      for (const [pattern, node] of matched) {
        if (!matches(pattern, name, run)) continue;
        looked = true;
        if (!within(node, part, name, run)) return false;
      }
      if (!looked && rest) {
        if (closed) return misfit(run, `must not hold ${JSON.stringify(name.slice(0, 100))}`);
        if (!within(rest, part, name, run)) return false;
      }
      if (marks && (looked || rest)) marks.names.add(name);
    }
    return true;
  };
};

const propertyNames: Keyword = (schema, make) => {
  if (schema.propertyNames === undefined) return null;
  const node = make.node(schema.propertyNames);
  return (value, run) => {
    if (!isJsonObject(value)) return true;
    const all = Object.keys(value);
    spend(run, 2 * all.length * listing);
    return all.every((name) => within(node, name, name, run));
  };
};

const size =
  (name: 'minProperties' | 'maxProperties'): Keyword =>
  (schema) => {
    const limit = count(schema, name);
    if (limit === null) return null;
    const why = `must have at ${name === 'maxProperties' ? 'most' : 'least'} ${limit} members`;
    return (value, run) => {
      if (!isJsonObject(value)) return true;
      const { length } = Object.keys(value);
      spend(run, length * listing);
      return (name === 'maxProperties' ? length <= limit : length >= limit) || misfit(run, why);
    };
  };

/** `dependencies` of draft-07 and its two successors: what has one member needs others, or fits another schema. */
const dependent =
  (keyword: 'dependencies' | 'dependentRequired' | 'dependentSchemas'): Keyword =>
  (schema, make) => {
    if (schema[keyword] === undefined) return null;
    const rules = Object.entries(record(schema[keyword], keyword)).map(
      ([name, rule]) => [name, Array.isArray(rule) ? needs(names(rule, keyword)) : make.node(rule)] as const,
    );
    return (value, run, marks) => {
      if (!isJsonObject(value)) return true;
      spend(run, rules.length);
      return rules.every(([name, node]) => !Object.hasOwn(value, name) || node(value, run, marks));
    };
  };

export const objects: readonly Keyword[] = [
  required,
  members,
  propertyNames,
  size('minProperties'),
  size('maxProperties'),
  dependent('dependencies'),
  dependent('dependentRequired'),
  dependent('dependentSchemas'),
];

/** Last of all: it is about what the others did not look at. */
export const unevaluatedProperties: Keyword = (schema, make) => {
  if (schema.unevaluatedProperties === undefined || make.old) return null;
  const node = make.node(schema.unevaluatedProperties);
  return (value, run, marks) => {
    if (!isJsonObject(value) || !marks) return true;
    const all = Object.keys(value);
    spend(run, all.length * listing);
    for (const name of all) {
      if (marks.names.has(name)) continue;
      if (!within(node, value[name] as JsonValue, name, run)) return false;
      marks.names.add(name);
    }
    return true;
  };
};
