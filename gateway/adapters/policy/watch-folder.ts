import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { deepest, isLeftOut, kindOf } from './policy-files.ts';

export interface FolderWatch {
  close(): void;
}

/** Milliseconds: after an event, until its companions have come; and between two looks without any event. */
const afterEvent = 50;
const between = 2_000;

/**
 * Says when the policies in a folder (or a file) are not what they were: by the events of its directories, links followed,
 * and by looking every two seconds, since network mounts tell nothing and a folder that was exchanged as a whole tells no
 * more. It resolves when it has looked once: whoever reads after that misses nothing.
 */
export async function watchFolder(path: string, changed: () => void): Promise<FolderWatch> {
  const watched = new Map<string, FSWatcher>();
  let seen: string | null = null;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let looking = false;

  /** A look that is due earlier stays: a place where something happens all the time must not put it off for ever. */
  function lookIn(ms: number): void {
    const at = performance.now() + ms;
    if (closed || at >= due) return;
    due = at;
    clearTimeout(timer);
    if (!looking) timer = setTimeout(() => void look(), ms).unref();
  }
  async function look(): Promise<void> {
    looking = true;
    due = Number.POSITIVE_INFINITY;
    const found = await inventory(path);
    looking = false;
    if (closed) return;
    rearm(found.folders);
    if (seen !== null && seen !== found.mark) changed();
    seen = found.mark;
    const asked = due - performance.now();
    due = Number.POSITIVE_INFINITY;
    lookIn(Math.max(0, Math.min(asked, between)));
  }
  /** By inode: a folder that was exchanged has the same name and needs a new watcher. */
  function rearm(folders: ReadonlyMap<string, string>): void {
    for (const [key, watcher] of watched) {
      if (folders.has(key)) continue;
      watcher.close();
      watched.delete(key);
    }
    for (const [key, folder] of folders) if (!watched.has(key)) arm(key, folder);
  }
  function arm(key: string, folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => lookIn(afterEvent));
      watcher.on('error', () => watched.delete(key));
      watched.set(key, watcher);
    } catch {
      // No more watchers to be had, or the folder is gone: looking goes on.
    }
  }

  await look();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watched.values()) watcher.close();
    },
  };
}

interface Inventory {
  /** Every policy file with inode, size and time: equal only where nothing was touched. */
  readonly mark: string;
  /** The directories to be watched, by path and inode. */
  readonly folders: ReadonlyMap<string, string>;
}

async function inventory(path: string): Promise<Inventory> {
  const marks: string[] = [];
  const folders = new Map<string, string>();
  const counts = (place: string): boolean => place === path || kindOf(relative(path, place)) !== null;
  async function visit(place: string, depth: number): Promise<void> {
    const what = await stat(place, { bigint: true }).catch(() => null);
    if (what === null || depth > deepest) return;
    if (what.isFile() && counts(place)) marks.push(`${place} ${what.ino} ${what.size} ${what.mtimeNs} ${what.ctimeNs}`);
    if (!what.isDirectory()) return;
    folders.set(`${place} ${what.ino}`, place);
    const names = await readdir(place).catch(() => []);
    for (const name of names.sort()) if (!isLeftOut(name)) await visit(join(place, name), depth + 1);
  }
  await visit(path, 0);
  // The name itself may be a link, or a file, that is exchanged.
  folders.set(dirname(path), dirname(path));
  return { mark: marks.join('\n'), folders };
}
