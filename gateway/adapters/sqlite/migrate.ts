import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { StoreFault } from './store-fault.ts';

/** "SEKI" in the file's header: the file is ours, whatever else has a `user_version`. */
const ours = 0x53454b49;

/** Brings the file to the newest version, in one transaction; another process may be doing the same just now. */
export function migrate(db: DatabaseSync, path: string, migrations: readonly string[]): void {
  const from = versionOf(db);
  const copy = isOurs(db) && from > 0 && from < migrations.length ? copyOf(db, path) : null;
  try {
    db.exec('BEGIN IMMEDIATE');
    const now = versionOf(db);
    if (!(isOurs(db) || (now === 0 && isEmpty(db)))) throw new StoreFault('foreign', path);
    if (now > migrations.length) throw new StoreFault('newer', path);
    if (now === from && now < migrations.length) {
      if (copy) renameSync(copy, `${path}.v${from}.bak`);
      for (const step of migrations.slice(now)) db.exec(step);
      db.exec(`PRAGMA application_id = ${ours}; PRAGMA user_version = ${migrations.length}`);
    }
    db.exec('COMMIT');
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
    if (copy) rmSync(copy, { force: true });
  }
}

const isOurs = (db: DatabaseSync): boolean => db.prepare('PRAGMA application_id').get()?.application_id === ours;

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version);
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

/**
 * A whole copy, the log included, on disk before anything changes. SQLite writes it: opening and closing the database
 * file ourselves would drop the POSIX locks that this process holds on it.
 */
function copyOf(db: DatabaseSync, path: string): string {
  const copy = `${path}.copy-${randomBytes(6).toString('hex')}`;
  try {
    closeSync(openSync(copy, 'wx', 0o600));
    db.prepare('VACUUM INTO ?').run(copy);
    const file = openSync(copy, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return copy;
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
}
