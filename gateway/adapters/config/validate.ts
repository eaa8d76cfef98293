import type { z } from 'zod';
import { nearest } from '#gateway/core/nearest.ts';
import type { Outside } from './interpolate.ts';
import { type ConfigIssue, issueAt, type KeyPath, type Place, pathKey } from './issue.ts';
import { jsonSchema, nodesAt } from './schema.ts';
import type { Tree } from './yaml-tree.ts';

type ZodIssue = z.core.$ZodIssue;

export type Validated<T> = { readonly value: T } | { readonly issues: readonly ConfigIssue[] };

/** Holds a tree against a schema; every complaint names its line and column, and no value from outside the file. */
export function validate<T>(
  schema: { safeParse(input: unknown): z.ZodSafeParseResult<T> },
  tree: Tree,
  outside: readonly Outside[],
  known: KnownKeys = keysAt,
): Validated<T> {
  const first = schema.safeParse(tree.value);
  if (first.success) return { value: first.data };
  const changed = first.error.issues.filter((issue) => readAsExpected(issue, tree.value, outside)).length > 0;
  const last = changed ? schema.safeParse(tree.value) : first;
  if (last.success) return { value: last.data };
  return { issues: last.error.issues.flatMap((issue) => explain(issue, tree, outside, known)) };
}

/** A value from outside is a text. Where the schema wants a number or a boolean, the text is read as one. */
function readAsExpected(issue: ZodIssue, root: unknown, outside: readonly Outside[]): boolean {
  if (issue.code !== 'invalid_type') return false;
  const found = outside.find((item) => pathKey(item.path) === pathKey(keyPath(issue.path)));
  const last = issue.path.at(-1);
  const box = valueAt(root, issue.path.slice(0, -1));
  if (!found || last === undefined || typeof box !== 'object' || box === null) return false;
  const value = scalar(found.value, issue.expected);
  return value !== null && Reflect.set(box, last, value);
}

function scalar(text: string, expected: string): number | boolean | null {
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : null;
  const isNumber = (expected === 'number' || expected === 'int') && /^-?\d{1,15}(\.\d{1,9})?$/.test(text);
  return isNumber ? Number(text) : null;
}

function explain(issue: ZodIssue, tree: Tree, outside: readonly Outside[], known: KnownKeys): readonly ConfigIssue[] {
  const path = keyPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const at = [...path, key];
      return issueAt(placeOfKey(tree, at), at, unknownKey(key, known(path)));
    });
  }
  const value = valueAt(tree.value, path);
  const isKey = issue.code === 'invalid_key';
  const missing = value === undefined && !isKey;
  const place = missing || isKey ? placeOfKey(tree, path) : placeOfValue(tree, path, value);
  const message = missing ? missingText(issue) : complaint(issue, value);
  return [issueAt(place, path, withoutOutside(message, path, outside))];
}

/** The keys that a map at this path may have. */
type KnownKeys = (path: KeyPath) => readonly string[];

export const keysAt: KnownKeys = (path) =>
  nodesAt(jsonSchema(), path).flatMap((node) => Object.keys(node.properties ?? {}));

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const hint = meant ? `did you mean "${meant}"?` : `known here: ${known.join(', ')}`;
  return `unknown key "${key}": ${hint}`;
}

const missingText = (issue: ZodIssue): string => {
  const values = options(issue);
  return values.length > 0 ? `is missing: give one of ${values.join(', ')}` : 'is missing';
};

function complaint(issue: ZodIssue, value: unknown): string {
  const values = options(issue);
  if (values.length > 0) return notOneOf(value, values);
  if (issue.code === 'invalid_type') return `expected ${words[issue.expected] ?? issue.expected}, got ${kindOf(value)}`;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code === 'invalid_format' && issue.format === 'regex') return `expected ${issue.message}`;
  if (issue.code === 'too_small' && issue.minimum === 1 && issue.origin !== 'number') return 'must not be empty';
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  return issue.message;
}

function options(issue: ZodIssue): readonly string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return issue.code === 'invalid_union' && 'options' in issue ? (issue.options ?? []).map(String) : [];
}

function notOneOf(value: unknown, values: readonly string[]): string {
  const given = typeof value === 'object' ? kindOf(value) : `"${String(value)}"`;
  const meant = typeof value === 'string' ? nearest(value, values) : null;
  const hint = meant ? ` did you mean "${meant}"?` : '';
  return values.length === 1
    ? `expected ${values[0]}, got ${given}`
    : `${given} is not one of ${values.join(', ')}${hint ? `:${hint}` : ''}`;
}

const words: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'a text' : typeof value === 'object' ? 'a map' : String(value);
};

/** What was written stands for what it became: `${env:TOKEN}`, never the token. */
export function withoutOutside(message: string, path: KeyPath, outside: readonly Outside[]): string {
  const found = outside.find((item) => pathKey(item.path) === pathKey(path));
  return found && found.value !== '' ? message.replaceAll(found.value, () => found.written) : message;
}

/** The place of the key, or of the closest key above it that is there. */
export function placeOfKey(tree: Tree, path: KeyPath): Place {
  for (let length = path.length; length > 0; length--) {
    const key = pathKey(path.slice(0, length));
    const place = tree.keys.get(key) ?? tree.values.get(key);
    if (place) return place;
  }
  return tree.values.get('') ?? { file: tree.file, line: 1, column: 1 };
}

/** A scalar or a list is pointed at itself; a map, whose first line is already inside it, at its key. */
export function placeOfValue(tree: Tree, path: KeyPath, value: unknown): Place {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const own = isMap ? undefined : tree.values.get(pathKey(path));
  return own ?? placeOfKey(tree, path);
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let at = root;
  for (const part of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined;
  return at;
}

const keyPath = (path: readonly PropertyKey[]): KeyPath =>
  path.map((part) => (typeof part === 'number' ? part : String(part)));
