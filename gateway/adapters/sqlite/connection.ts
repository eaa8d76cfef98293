import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { migrate } from './migrate.ts';
import { StoreFault, storeFault } from './store-fault.ts';

/** One SQLite file. Whatever it throws is a StoreFault. */
export interface Connection {
  readonly path: string;
  prepare(sql: string): StatementSync;
  /** One immediate transaction, on disk when this returns. `work` throws: nothing was written. */
  write<T>(work: () => T): T;
  read<T>(work: () => T): T;
  close(): void;
}

export interface ConnectionOptions {
  /** Milliseconds to wait for another process's transaction. The event loop waits too, so it is not long. */
  readonly busyMs: number;
  readonly migrations: readonly string[];
}

export function connect(path: string, { busyMs, migrations }: ConnectionOptions): Connection {
  const guarded = guard(path);
  const db = guarded(() => open(path, busyMs, migrations));
  return {
    path,
    prepare: (sql) => guarded(() => db.prepare(sql)),
    read: guarded,
    write: (work) => guarded(() => transaction(db, work)),
    close: () => guarded(() => db.close()),
  };
}

const guard =
  (path: string) =>
  <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw storeFault(error, path);
    }
  };

function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

function open(path: string, busyMs: number, migrations: readonly string[]): DatabaseSync {
  makePrivate(path);
  const db = new DatabaseSync(path, { timeout: busyMs });
  try {
    checkPages(db, path);
    useLog(db, path, busyMs);
    db.exec('PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; PRAGMA trusted_schema = OFF');
    migrate(db, path, migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** SQLite gives the files beside it the mode of the database. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // 'wx' never opens a file that exists: closing it again would drop the locks this process has on it.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (statSync(path).mode & 0o077) chmodSync(path, 0o600);
}

function checkPages(db: DatabaseSync, path: string): void {
  const found = String(db.prepare('PRAGMA quick_check(1)').get()?.quick_check);
  if (found !== 'ok') throw new StoreFault('corrupt', path, new Error(found));
}

/** Changing to the write-ahead log does not wait for other processes by itself when they do the same. */
function useLog(db: DatabaseSync, path: string, busyMs: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const until = Date.now() + busyMs;
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const busy = storeFault(error, path);
      if (!(busy instanceof StoreFault && busy.kind === 'locked') || Date.now() >= until) throw error;
      Atomics.wait(pause, 0, 0, 20);
    }
  }
}
