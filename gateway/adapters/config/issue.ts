/** Where something stands in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type KeyPath = readonly (string | number)[];

/** What is wrong at a place, before it is known in which file that is. */
export interface Complaint {
  readonly path: KeyPath;
  readonly message: string;
}

/** One thing that is wrong with the configuration. Never holds a value that came from `${…}`. */
export interface ConfigIssue {
  readonly file: string;
  /** Null when the file could not be read at all. */
  readonly line: number | null;
  readonly column: number | null;
  /** `servers.github.url`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ConfigErrors {
  readonly file: string;
  readonly issues: readonly ConfigIssue[];
}

export const isConfigErrors = (value: object): value is ConfigErrors => 'issues' in value;

export function issueAt(place: Place, path: KeyPath, message: string): ConfigIssue {
  return { ...place, path: showPath(path), message };
}

export const unreadable = (file: string, message: string): ConfigIssue => ({
  file,
  line: null,
  column: null,
  path: '',
  message,
});

/** `gateway.yaml:4:10 servers.github.url – Invalid URL` */
export function showIssue({ file, line, column, path, message }: ConfigIssue): string {
  const where = line === null ? file : `${file}:${line}:${column}`;
  return path === '' ? `${where} – ${message}` : `${where} ${path} – ${message}`;
}

const showPath = (path: KeyPath): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');

/** The form in which a path is a key of a map. */
export const pathKey = (path: KeyPath): string => path.join('\0');
