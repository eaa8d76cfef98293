import { isJsonObject, type JsonValue } from './json.ts';

/**
 * The JSON Canonicalization Scheme, RFC 8785: members in UTF-16 code-unit order, numbers and strings as ECMAScript
 * writes them, no white space, no Unicode normalisation.
 *
 * @throws TypeError for a number or a string that JSON cannot carry (NaN, ±∞, lone surrogates).
 */
export function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isJsonObject(value)) {
    // Array.prototype.sort without a comparator orders strings by UTF-16 code units, as section 3.2.3 asks.
    const names = Object.keys(value).filter((name) => value[name] !== undefined);
    return `{${names
      .sort()
      .map((name) => `${text(name)}:${canonical(value[name] ?? null)}`)
      .join(',')}}`;
  }
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
  return JSON.stringify(value);
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(value);
}
