import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { openStore, type Store } from '#gateway/adapters/sqlite/open.ts';
import type { StoreUnderTest } from '#test/adapters/store-contract/store.ts';

const program = fileURLToPath(new URL('./child.ts', import.meta.url));

export interface SqliteStoreUnderTest extends StoreUnderTest {
  readonly path: string;
}

export async function makeSqliteStore(): Promise<SqliteStoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-store-'));
  const path = join(folder, 'state.db');
  const handles: Store[] = [];
  const children: ChildProcess[] = [];
  return {
    path,
    open: (options) => {
      const handle = openStore(path, options);
      handles.push(handle);
      return handle;
    },
    spawn: (job, ...args) => {
      const child = spawn(process.execPath, [program, path, job, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(child);
      return child;
    },
    check: () => {
      const db = new DatabaseSync(path, { timeout: 5000 });
      const found = db.prepare('PRAGMA integrity_check').get()?.integrity_check;
      db.close();
      if (found !== 'ok') throw new Error(`integrity_check: ${found}`);
    },
    dispose: async () => {
      for (const handle of handles) handle.close();
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
