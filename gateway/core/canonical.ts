import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * The JSON Canonicalization Scheme, RFC 8785: members in UTF-16 code-unit order, numbers and strings as ECMAScript
 * writes them, no white space, no Unicode normalisation.
 *
 * @throws TypeError for a number or a string that JSON cannot carry (NaN, ±∞, lone surrogates).
 */
export function canonical(value: JsonValue): string {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
  if (Array.isArray(value)) return list(value);
  return isJsonObject(value) ? members(value) : JSON.stringify(value);
}

function list(values: readonly JsonValue[]): string {
  let all = '';
  for (const value of values) all += all === '' ? canonical(value) : `,${canonical(value)}`;
  return `[${all}]`;
}

/** Array.prototype.sort without a comparator orders strings by UTF-16 code units, as section 3.2.3 asks. */
function members(value: JsonObject): string {
  let all = '';
  const names = Object.keys(value);
  for (const name of inOrder(names) ? names : names.sort()) {
    const member = value[name];
    if (member !== undefined) all += `${all === '' ? '' : ','}${text(name)}:${canonical(member)}`;
  }
  return `{${all}}`;
}

/** Mostly they are, and the comparison of strings is by UTF-16 code units, too. */
function inOrder(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] ?? '') > (names[i] ?? '')) return false;
  return true;
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(value);
}
