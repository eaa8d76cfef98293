import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyError } from './compiler-protocol.ts';
import { parseData } from './data-json.ts';
import { deepest, isLeftOut, kindOf } from './policy-files.ts';

/** A folder of policies, read: paths are relative to it, so that what is made of it is the same everywhere. */
export interface PolicySources {
  readonly rules: Readonly<Record<string, string>>;
  readonly tests: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>>;
  /** A module that was built elsewhere, from policy.wasm at the top; null where there is none. */
  readonly built: Uint8Array | null;
}

export async function readSources(folder: string): Promise<PolicySources | { errors: readonly PolicyError[] }> {
  if (!(await stat(folder).catch(() => null))?.isDirectory()) {
    const message = `there is no folder ${folder}`;
    return { errors: [{ file: '', row: 0, col: 0, code: 'policy_missing', message }] };
  }
  const rules: Record<string, string> = {};
  const tests: Record<string, string> = {};
  let built: Uint8Array | null = null;
  const documents = new Map<string, string>();
  const errors: PolicyError[] = [];
  for (const path of await filesBelow(folder, '', 1)) {
    const kind = kindOf(path);
    if (kind === null) continue;
    const text = () => readFile(join(folder, path), 'utf8');
    if (kind === 'data') documents.set(path, await text());
    else if (kind === 'tests') tests[path] = await text();
    else if (kind === 'rules') rules[path] = await text();
    else if (kind === 'module') built = await readFile(join(folder, path));
    else
      errors.push({ file: path, row: 1, col: 1, code: 'data_not_json', message: 'data is read from data.json only' });
  }
  const merged = mergeData(documents);
  if ('errors' in merged) errors.push(...merged.errors);
  return errors.length > 0 || 'errors' in merged ? { errors } : { rules, tests, data: merged.data, built };
}

/** Regular files, links followed: a mounted ConfigMap is links. */
async function filesBelow(folder: string, below: string, depth: number): Promise<string[]> {
  if (depth > deepest) return [];
  const names = (await readdir(join(folder, below))).filter((name) => !isLeftOut(name)).sort();
  const found: string[] = [];
  for (const name of names) {
    const path = below === '' ? name : `${below}/${name}`;
    const what = await stat(join(folder, path));
    if (what.isDirectory()) found.push(...(await filesBelow(folder, path, depth + 1)));
    else if (what.isFile()) found.push(path);
  }
  return found;
}

/** As OPA does it: a data.json in a folder is the document at that folder's path. */
function mergeData(
  documents: ReadonlyMap<string, string>,
): { data: Record<string, unknown> } | { errors: PolicyError[] } {
  const data: Record<string, unknown> = {};
  const errors: PolicyError[] = [];
  for (const [file, text] of documents) {
    const parsed = parseData(text);
    if ('flaw' in parsed) {
      errors.push({ file, code: 'data_invalid', ...parsed.flaw });
    } else if (!isObject(parsed.value)) {
      errors.push({ file, row: 1, col: 1, code: 'data_invalid', message: 'data must be an object' });
    } else {
      const clash = mount(data, file.split('/').slice(0, -1), parsed.value);
      if (clash === null) continue;
      const message = `${clash} is already given by another data.json`;
      errors.push({ file, row: 1, col: 1, code: 'data_conflict', message });
    }
  }
  return errors.length > 0 ? { errors } : { data };
}

function mount(data: Record<string, unknown>, path: readonly string[], value: Record<string, unknown>): string | null {
  let node = data;
  for (const key of path) {
    if (!Object.hasOwn(node, key)) node[key] = {};
    const inner = node[key];
    if (!isObject(inner)) return key;
    node = inner;
  }
  for (const [key, member] of Object.entries(value)) {
    if (Object.hasOwn(node, key)) return [...path, key].join('.');
    Object.defineProperty(node, key, { value: member, enumerable: true, configurable: true, writable: true });
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
