import { canonical } from '#gateway/core/canonical.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { type Keyword, matches, misfit, type Node, type Run, spend, Unusable } from './node.ts';

const typeNames = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];

const isOf = (value: JsonValue, name: JsonValue): boolean => {
  if (name === 'array') return Array.isArray(value);
  if (name === 'object') return isJsonObject(value);
  if (name === 'null') return value === null;
  if (name === 'integer') return Number.isInteger(value);
  return typeof value === name;
};

const type: Keyword = ({ type: wanted }) => {
  if (wanted === undefined) return null;
  const names = Array.isArray(wanted) ? wanted : [wanted];
  if (names.length === 0 || !names.every((name) => typeNames.includes(name as string))) {
    throw new Unusable('it names a type that there is not');
  }
  const why = `must be of type ${names.join(' or ')}`;
  const [only] = names as [string];
  if (names.length === 1) return (value, run) => isOf(value, only) || misfit(run, why);
  return (value, run) => names.some((name) => isOf(value, name)) || misfit(run, why);
};

/** What comparing a value as a whole costs: writing it canonically, which is slow. */
export function weigh(value: JsonValue, run: Run): void {
  if (typeof value === 'string') spend(run, 8 + (value.length >> 1));
  else if (typeof value !== 'object' || value === null) spend(run, 8);
  else {
    spend(run, 64);
    for (const part of Object.values(value)) if (part !== undefined) weigh(part, run);
  }
}

const isScalar = (value: JsonValue): boolean => typeof value !== 'object' || value === null;

function oneOf(wanted: readonly JsonValue[], why: string): Node {
  if (wanted.every(isScalar)) {
    const all = new Set(wanted);
    return (value, run) => {
      spend(run, 1);
      return all.has(value) || misfit(run, why);
    };
  }
  const all = new Set(wanted.map(canonical));
  return (value, run) => {
    weigh(value, run);
    return all.has(canonical(value)) || misfit(run, why);
  };
}

const short = (values: readonly JsonValue[]): string => {
  const text = values
    .slice(0, 8)
    .map((one) => JSON.stringify(one))
    .join(', ');
  return text.length > 160 || values.length > 8 ? 'one of the values its schema lists' : text;
};

const enumeration: Keyword = ({ enum: wanted }) => {
  if (wanted === undefined) return null;
  if (!Array.isArray(wanted)) throw new Unusable('"enum" is no array');
  return oneOf(wanted, `must be ${wanted.length > 1 ? 'one of ' : ''}${short(wanted)}`);
};

const constant: Keyword = ({ const: wanted }) =>
  wanted === undefined ? null : oneOf([wanted], `must be ${short([wanted])}`);

/** A bound as a number; what is no number is no bound that we know. */
function bound(schema: JsonObject, name: string): number | null {
  const value = schema[name];
  if (value === undefined || typeof value === 'boolean') return null;
  if (typeof value !== 'number') throw new Unusable(`"${name}" is no number`);
  return value;
}

const range =
  (name: string, fits: (value: number, limit: number) => boolean, says: string, strict?: string): Keyword =>
  (schema) => {
    const limit = bound(schema, name);
    if (limit === null) return null;
    // Draft-04 wrote `exclusiveMinimum: true` beside the bound.
    const open = strict !== undefined && schema[strict] === true;
    const why = `must be ${says}${open ? ', and not equal to,' : ''} ${limit}`;
    return (value, run) =>
      typeof value !== 'number' || (fits(value, limit) && !(open && value === limit)) || misfit(run, why);
  };

const multipleOf: Keyword = (schema) => {
  const step = bound(schema, 'multipleOf');
  if (step === null) return null;
  if (step <= 0) throw new Unusable('"multipleOf" is not above 0');
  return (value, run) => {
    if (typeof value !== 'number') return true;
    spend(run, 16);
    return isMultiple(value, step, run) || misfit(run, `must be a multiple of ${step}`);
  };
};

/** Of the numbers as JSON writes them: 19.99 is a multiple of 0.01, whatever binary fractions make of it. */
function isMultiple(value: number, step: number, run: Run): boolean {
  if (Number.isInteger(value) && Number.isInteger(step)) return value % step === 0;
  const [one, other] = [decimal(value), decimal(step)];
  const exponent = Math.min(one.exponent, other.exponent);
  // Each digit that is made up costs: 10^600 takes longer than all the rest.
  spend(run, 2 * Math.abs(one.exponent - other.exponent));
  const scaled = ({ digits, exponent: own }: Decimal): bigint => digits * 10n ** BigInt(own - exponent);
  return scaled(one) % scaled(other) === 0n;
}

/** digits × 10^exponent */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function decimal(value: number): Decimal {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

/** Code points, counted no further than it takes to know. */
function isLonger(text: string, limit: number, run: Run): boolean {
  if (text.length <= limit) return false;
  if (text.length > 2 * limit) return true;
  spend(run, text.length >> 3);
  let points = 0;
  for (const _ of text) points++;
  return points > limit;
}

const length =
  (name: 'maxLength' | 'minLength'): Keyword =>
  (schema) => {
    const limit = bound(schema, name);
    if (limit === null) return null;
    const why = `must have at ${name === 'maxLength' ? 'most' : 'least'} ${limit} characters`;
    return (value, run) => {
      if (typeof value !== 'string') return true;
      const fits = name === 'maxLength' ? !isLonger(value, limit, run) : limit <= 0 || isLonger(value, limit - 1, run);
      return fits || misfit(run, why);
    };
  };

const pattern: Keyword = ({ pattern: source }, make) => {
  if (source === undefined) return null;
  if (typeof source !== 'string') throw new Unusable('"pattern" is no string');
  const compiled = make.pattern(source);
  const why = `must match ${source.length > 100 ? 'the pattern of its schema' : source}`;
  return (value, run) => {
    if (typeof value !== 'string') return true;
    return matches(compiled, value, run) || misfit(run, why);
  };
};

export const scalars: readonly Keyword[] = [
  type,
  enumeration,
  constant,
  range('minimum', (value, limit) => value >= limit, 'at least', 'exclusiveMinimum'),
  range('maximum', (value, limit) => value <= limit, 'at most', 'exclusiveMaximum'),
  range('exclusiveMinimum', (value, limit) => value > limit, 'more than'),
  range('exclusiveMaximum', (value, limit) => value < limit, 'less than'),
  multipleOf,
  length('minLength'),
  length('maxLength'),
  pattern,
];
