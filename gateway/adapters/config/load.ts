import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Config, configSchema, includeSchema } from '#gateway/core/config.ts';
import { contradictions, warningsOf } from './checks.ts';
import { findIncluded } from './include.ts';
import { type Environment, interpolate, type Outside } from './interpolate.ts';
import {
  type Complaint,
  type ConfigErrors,
  type ConfigIssue,
  issueAt,
  type KeyPath,
  pathKey,
  unreadable,
} from './issue.ts';
import { redact, withAbsolutePaths } from './settle.ts';
import { keysAt, placeOfKey, placeOfValue, validate, valueAt, withoutOutside } from './validate.ts';
import { readTree, type Tree } from './yaml-tree.ts';

export interface LoadedConfig {
  /** Every path in it is absolute. */
  readonly config: Config;
  readonly file: string;
  readonly warnings: readonly string[];
  /** The effective config without anything secret. */
  redacted(): object;
}

/** Reads `gateway.yaml` and all that it includes. Everything that is wrong is said at once. */
export async function loadConfig(file: string, env: Environment): Promise<LoadedConfig | ConfigErrors> {
  const read = await readSource(file, env);
  if (!read.tree) return { file, issues: read.issues };
  const { tree } = read;
  const issues = [...read.issues];
  const outside = [...read.outside];
  const included = await findIncluded(file, patternsOf(tree));
  const complain = ({ path, message }: Complaint): void => {
    const place = placeOfValue(tree, path, valueAt(tree.value, path));
    issues.push(...unlessSaid([issueAt(place, path, withoutOutside(message, path, outside))], issues));
  };
  included.complaints.forEach(complain);
  for (const name of included.files) {
    const other = await readSource(name, env);
    issues.push(...other.issues);
    if (!other.tree) continue;
    const checked = validate(includeSchema, other.tree, other.outside, keysOfIncluded);
    if ('issues' in checked) issues.push(...unlessSaid(checked.issues, other.issues));
    else issues.push(...addServers(tree, other.tree));
    outside.push(...other.outside);
  }
  const checked = validate(configSchema, tree, outside);
  if ('issues' in checked) return { file, issues: [...issues, ...unlessSaid(checked.issues, issues)] };
  contradictions(checked.value).forEach(complain);
  if (issues.length > 0) return { file, issues };
  const config = withAbsolutePaths(checked.value, tree);
  const warnings = [...included.warnings, ...warningsOf(config)];
  return { config, file, warnings, redacted: () => redact(config, outside) };
}

interface Source {
  readonly tree: Tree | null;
  readonly outside: readonly Outside[];
  readonly issues: readonly ConfigIssue[];
}

export async function readSource(file: string, env: Environment): Promise<Source> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { tree: null, outside: [], issues: [unreadable(file, `this file cannot be read (${code})`)] };
  }
  const tree = readTree(text, file);
  if (!('value' in tree)) return { tree: null, outside: [], issues: tree };
  return { tree, ...(await interpolate(tree, resolve(dirname(file)), env)) };
}

const keysOfIncluded = (path: KeyPath): readonly string[] => (path.length === 0 ? ['servers'] : keysAt(path));

function patternsOf(tree: Tree): readonly string[] {
  const include = valueAt(tree.value, ['include']);
  return Array.isArray(include) ? include.filter((pattern) => typeof pattern === 'string') : [];
}

/** A value that could not be looked up was complained of already: what else is wrong with it nobody knows. */
const unlessSaid = (issues: readonly ConfigIssue[], said: readonly ConfigIssue[]): readonly ConfigIssue[] =>
  issues.filter((issue) => !said.some((other) => other.file === issue.file && other.path === issue.path));

/** Moves the servers of an included file, with their places, into the main tree. */
function addServers(main: Tree, other: Tree): readonly ConfigIssue[] {
  const added = valueAt(other.value, ['servers']);
  if (typeof added !== 'object' || added === null) return [];
  if (typeof main.value !== 'object' || main.value === null) return [];
  const own = valueAt(main.value, ['servers']) ?? {};
  if (typeof own !== 'object') return [];
  Reflect.set(main.value, 'servers', own);
  const issues: ConfigIssue[] = [];
  for (const [id, server] of Object.entries(added)) {
    const path = ['servers', id];
    if (Object.hasOwn(own, id)) {
      const { file, line, column } = placeOfKey(main, path);
      issues.push(issueAt(placeOfKey(other, path), path, `stands in ${file}:${line}:${column} already`));
    } else {
      Reflect.set(own, id, server);
      adopt(main.keys, other.keys, path);
      adopt(main.values, other.values, path);
    }
  }
  return issues;
}

function adopt<T>(mine: Map<string, T>, theirs: ReadonlyMap<string, T>, path: KeyPath): void {
  const key = pathKey(path);
  for (const [other, place] of theirs) {
    if (other === key || other.startsWith(`${key}\0`)) mine.set(other, place);
  }
}
