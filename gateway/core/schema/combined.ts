import type { JsonValue } from '#gateway/core/json.ts';
import { merge } from './arrays.ts';
import { type Keyword, type Maker, type Marks, misfit, type Node, noMarks, type Run, tries, Unusable } from './node.ts';

const schemas = (value: JsonValue | undefined, keyword: string, make: Maker): readonly Node[] => {
  if (!Array.isArray(value) || value.length === 0) throw new Unusable(`"${keyword}" is no list of schemas`);
  return value.map((one) => make.node(one));
};

/** Tries it, and keeps what it looked at only if it fits. */
function tried(node: Node, value: JsonValue, run: Run, marks: Marks | null): boolean {
  if (!marks) return tries(node, value, run, null);
  const own = noMarks();
  const fits = tries(node, value, run, own);
  if (fits) merge(own, marks, run);
  return fits;
}

const allOf: Keyword = (schema, make) => {
  if (schema.allOf === undefined) return null;
  const nodes = schemas(schema.allOf, 'allOf', make);
  return (value, run, marks) => nodes.every((node) => node(value, run, marks));
};

const anyOf: Keyword = (schema, make) => {
  if (schema.anyOf === undefined) return null;
  const nodes = schemas(schema.anyOf, 'anyOf', make);
  return (value, run, marks) => {
    let fits = false;
    for (const node of nodes) {
      fits = tried(node, value, run, marks) || fits;
      // Who collects what was looked at has to hear all of them.
      if (fits && !marks) return true;
    }
    return fits || misfit(run, 'fits none of the forms that its schema allows');
  };
};

const oneOf: Keyword = (schema, make) => {
  if (schema.oneOf === undefined) return null;
  const nodes = schemas(schema.oneOf, 'oneOf', make);
  return (value, run, marks) => {
    let fitting = 0;
    for (const node of nodes) if (tried(node, value, run, marks)) fitting++;
    return (
      fitting === 1 ||
      misfit(run, `fits ${fitting === 0 ? 'none' : 'more than one'} of the forms of which one must fit`)
    );
  };
};

const not: Keyword = (schema, make) => {
  if (schema.not === undefined) return null;
  const node = make.node(schema.not);
  return (value, run) => !tries(node, value, run, noMarks()) || misfit(run, 'is what its schema rules out');
};

const conditional: Keyword = (schema, make) => {
  if (schema.if === undefined) return null;
  const test = make.node(schema.if);
  const yes = schema.then === undefined ? null : make.node(schema.then);
  const no = schema.else === undefined ? null : make.node(schema.else);
  return (value, run, marks) => {
    const branch = tried(test, value, run, marks) ? yes : no;
    return branch === null || branch(value, run, marks);
  };
};

const reference: Keyword = ({ $ref: ref }, make) => {
  if (ref === undefined) return null;
  if (typeof ref !== 'string') throw new Unusable('"$ref" is no string');
  return make.refer(ref);
};

export const combined: readonly Keyword[] = [reference, allOf, anyOf, oneOf, not, conditional];

/** A schema that is simply true or false. */
export const verdict = (fits: boolean): Node => (fits ? () => true : (_, run) => misfit(run, 'is not allowed'));
