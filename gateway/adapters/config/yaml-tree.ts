import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { type ConfigIssue, issueAt, type KeyPath, type Place, pathKey } from './issue.ts';

/** A YAML file as plain values, with the place of every key and value in it. */
export interface Tree {
  readonly file: string;
  value: unknown;
  readonly keys: Map<string, Place>;
  readonly values: Map<string, Place>;
}

const most = { bytes: 1024 * 1024, nodes: 20_000, aliases: 100, depth: 32 } as const;

const sentences: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is given twice',
  MULTIPLE_DOCS: 'a file holds one YAML document',
  TAB_AS_INDENT: 'indent with spaces, not with tabs',
  RESOURCE_EXHAUSTION: 'nested too deeply',
};

/**
 * Reads YAML 1.2 (core schema). The nodes are walked here rather than by `toJS`: each value keeps its place, and an
 * alias can neither grow without bound nor contain itself.
 */
export function readTree(text: string, file: string): Tree | readonly ConfigIssue[] {
  const top: Place = { file, line: 1, column: 1 };
  if (text.length > most.bytes) return [issueAt(top, [], 'the file is larger than 1 MiB')];
  const lines = new LineCounter();
  const options = { version: '1.2', schema: 'core', merge: false, uniqueKeys: true, prettyErrors: false } as const;
  const document = parseDocument(text, { ...options, lineCounter: lines });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const flaws = [...document.errors, ...document.warnings];
  if (flaws.length > 0) return flaws.slice(0, 10).map((flaw) => issueAt(placeOf(flaw.pos[0]), [], sentence(flaw)));
  const { explicit, version } = document.directives.yaml;
  if (explicit && version !== '1.2') return [issueAt(top, [], `this is read as YAML 1.2, and not as ${version}`)];
  return walk(document, file, placeOf);
}

const sentence = (flaw: YAMLError): string => sentences[flaw.code] ?? flaw.message;

/** Thrown inside the walk only: the first thing past a limit ends it. */
class Stop extends Error {
  readonly issue: ConfigIssue;
  constructor(issue: ConfigIssue) {
    super(issue.message);
    this.issue = issue;
  }
}

function walk(
  document: ReturnType<typeof parseDocument>,
  file: string,
  placeOf: (offset: number) => Place,
): Tree | readonly ConfigIssue[] {
  const tree: Tree = { file, value: null, keys: new Map(), values: new Map() };
  const count = { nodes: 0, aliases: 0 };

  function read(node: unknown, path: KeyPath): unknown {
    const place = placeOf(offsetOf(node));
    const stop = (message: string): Stop => new Stop(issueAt(place, path, message));
    if (++count.nodes > most.nodes) throw stop(`more than ${most.nodes} values, aliases counted in full`);
    if (path.length > most.depth) throw stop(`nested deeper than ${most.depth}`);
    tree.values.set(pathKey(path), place);
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return readScalar(node.value, stop);
    if (isSeq(node)) return node.items.map((item, index) => read(item, [...path, index]));
    if (isMap(node)) return Object.fromEntries(node.items.map((pair) => readPair(pair, path)));
    if (!isAlias(node)) throw stop('not a value');
    if (++count.aliases > most.aliases) throw stop(`more than ${most.aliases} aliases`);
    const target = node.resolve(document);
    if (!target) throw stop(`there is no anchor &${node.source}`);
    return read(target, path);
  }

  function readPair(pair: Pair, path: KeyPath): [string, unknown] {
    const place = placeOf(offsetOf(pair.key));
    const key = isScalar(pair.key) ? keyText(pair.key) : null;
    if (key === null) throw new Stop(issueAt(place, path, 'a key is a plain word'));
    if (key === '__proto__') throw new Stop(issueAt(place, [...path, key], 'this key is not allowed'));
    const at = [...path, key];
    // `1` and "1" are two keys for YAML and one for us.
    if (tree.keys.has(pathKey(at))) throw new Stop(issueAt(place, at, 'this key is given twice'));
    tree.keys.set(pathKey(at), place);
    return [key, read(pair.value, at)];
  }

  try {
    tree.value = read(document.contents, []);
    return tree;
  } catch (error) {
    if (error instanceof Stop) return [error.issue];
    throw error;
  }
}

const keyText = (key: Scalar): string | null => (typeof key.value === 'string' ? key.value : (key.source ?? null));

function readScalar(value: unknown, stop: (message: string) => Stop): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
    return value;
  }
  throw stop('a value is a text, a number, true, false or null');
}

function offsetOf(node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node)) return 0;
  return Array.isArray(node.range) ? Number(node.range[0]) : 0;
}
