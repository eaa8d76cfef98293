const kinds = {
  locked: {
    what: 'another process holds it for itself',
    fix: 'Stop that process, or give this gateway a store.path of its own.',
  },
  corrupt: {
    what: 'it is damaged, or is no SQLite file',
    fix: 'Move it away together with its -wal and -shm files and put back a copy. Without a copy the gateway starts a new one, which has forgotten approvals, pinned definitions and what runs have spent.',
  },
  readonly: {
    what: 'it cannot be written to',
    fix: 'Let the user that runs the gateway write the file and its folder, or mount the volume read-write.',
  },
  full: { what: 'the disk is full', fix: 'Free some space. What was confirmed before is still there.' },
  unopenable: {
    what: 'it cannot be opened',
    fix: 'Check that the folder exists, that no part of the path is a file, and that the user that runs the gateway may use it.',
  },
  newer: {
    what: 'a newer version of the gateway wrote it',
    fix: 'Run that version, or put back the copy it left beside the file (its name ends in .bak).',
  },
  foreign: { what: 'it is the database of another program', fix: 'Give the gateway a store.path of its own.' },
  closed: { what: 'it was closed', fix: 'Nothing to repair: the gateway is stopping.' },
  broken: { what: 'it failed', fix: 'The brackets say how. Check the disk and the system log.' },
} as const;

export type StoreFaultKind = keyof typeof kinds;

/** The store cannot do its work: a fault. Its message says what, where and how to go on, and holds nothing of the data. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly kind: StoreFaultKind;
  readonly path: string;

  constructor(kind: StoreFaultKind, path: string, cause?: unknown) {
    const detail = cause instanceof Error ? ` (${cause.message})` : '';
    super(`The store ${path} cannot be used: ${kinds[kind].what}${detail}. ${kinds[kind].fix}`, { cause });
    this.kind = kind;
    this.path = path;
  }
}

/** SQLite's primary result codes; the higher bits of an extended code only refine them. */
const kindOfSqlite: Readonly<Record<number, StoreFaultKind>> = {
  3: 'readonly',
  5: 'locked',
  6: 'locked',
  8: 'readonly',
  11: 'corrupt',
  13: 'full',
  14: 'unopenable',
  26: 'corrupt',
};

const kindOfSystem: Readonly<Record<string, StoreFaultKind>> = {
  EACCES: 'unopenable',
  EPERM: 'unopenable',
  ENOENT: 'unopenable',
  ENOTDIR: 'unopenable',
  EEXIST: 'unopenable',
  EISDIR: 'unopenable',
  ENAMETOOLONG: 'unopenable',
  EROFS: 'readonly',
  ENOSPC: 'full',
  EDQUOT: 'full',
  ERR_INVALID_STATE: 'closed',
};

/** What SQLite or the file system threw, as a StoreFault; anything else stays what it is. */
export function storeFault(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreFault) return error;
  const { code, errcode } = error as Error & { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === 'number') return new StoreFault(kindOfSqlite[errcode & 0xff] ?? 'broken', path, error);
  const kind = typeof code === 'string' ? kindOfSystem[code] : undefined;
  return kind ? new StoreFault(kind, path, error) : error;
}
