import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ConfigIssue, issueAt, type KeyPath, pathKey } from './issue.ts';
import type { Tree } from './yaml-tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value that came from outside the file. It is never printed: the text it was written as stands for it. */
export interface Outside {
  readonly path: KeyPath;
  readonly written: string;
  readonly value: string;
}

export interface Interpolated {
  readonly outside: readonly Outside[];
  readonly issues: readonly ConfigIssue[];
}

const mostFileBytes = 64 * 1024;
const name = /^[A-Za-z_][A-Za-z0-9_]*$/;
const grammar = '${env:NAME}, ${env:NAME:-default} or ${file:/path}; a literal ${ is written $${';

/**
 * Replaces `${…}` in every text of the tree, in place. It works on values that were parsed already, so what comes from
 * outside can never become a key, a list or a second value.
 */
export async function interpolate(tree: Tree, folder: string, env: Environment): Promise<Interpolated> {
  const outside: Outside[] = [];
  const issues: ConfigIssue[] = [];
  const top = { file: tree.file, line: 1, column: 1 };

  async function visit(value: unknown, path: KeyPath): Promise<unknown> {
    if (typeof value === 'string' && value.includes('${')) return isTemplate(path) ? value : replace(value, path);
    if (typeof value !== 'object' || value === null) return value;
    const box = value as Record<string | number, unknown>;
    for (const [key, item] of Object.entries(value)) {
      box[key] = await visit(item, [...path, Array.isArray(value) ? Number(key) : key]);
    }
    return value;
  }

  async function replace(written: string, path: KeyPath): Promise<string> {
    const parts = split(written);
    if (parts.every((part) => part.source === null)) return parts.map((part) => part.text).join('');
    const found = await Promise.all(parts.map((part) => (part.source === null ? part : lookUp(part.source))));
    const flaws = found.flatMap((part) => ('flaw' in part ? [part.flaw] : []));
    const place = tree.values.get(pathKey(path)) ?? top;
    issues.push(...flaws.map((flaw) => issueAt(place, path, flaw)));
    const value = found.map((part) => ('text' in part ? part.text : '')).join('');
    outside.push({ path, written, value });
    return value;
  }

  async function lookUp(source: string): Promise<{ text: string } | { flaw: string }> {
    const [, kind, rest = ''] = /^(env|file):(.+)$/s.exec(source) ?? [];
    if (kind === 'file') return readValue(resolve(folder, rest), rest);
    const dash = rest.indexOf(':-');
    const variable = dash < 0 ? rest : rest.slice(0, dash);
    if (kind !== 'env' || !name.test(variable)) return { flaw: `"\${${source}}" is not known here: write ${grammar}` };
    const value = env[variable];
    if (dash >= 0) return { text: value || rest.slice(dash + 2) };
    if (value !== undefined) return { text: value };
    return { flaw: `the environment has no ${variable}: set it, or write \${env:${variable}:-default}` };
  }

  tree.value = await visit(tree.value, []);
  return { outside, issues };
}

/** There `${claim}` stands for a claim of a token, and nothing from outside can come in. */
const isTemplate = ([first, second, , fourth]: KeyPath): boolean =>
  first === 'identity' && second === 'runs' && fourth === 'run';

interface Part {
  readonly text: string;
  /** What stands between `${` and `}`; null for plain text. An open `${` has all the rest as its source. */
  readonly source: string | null;
}

function split(written: string): readonly Part[] {
  const parts: Part[] = [];
  for (const [text, , source] of written.matchAll(/\$\$\{|\$(\{([^}]*)\}?)|\$|[^$]+/g)) {
    if (text === '$${') parts.push({ text: '${', source: null });
    else parts.push({ text, source: source ?? null });
  }
  return parts;
}

async function readValue(path: string, shown: string): Promise<{ text: string } | { flaw: string }> {
  try {
    const { size } = await stat(path);
    if (size > mostFileBytes) return { flaw: `the file ${shown} is larger than 64 KiB` };
    // Editors and `echo` end a file with a newline that is no part of a secret.
    return { text: (await readFile(path, 'utf8')).replace(/\r?\n$/, '') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown';
    return { flaw: `the file ${shown} cannot be read (${String(code)})` };
  }
}
