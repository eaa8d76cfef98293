import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A zombie is not running: it only waits for somebody to read how it ended. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

/** Whether it came true in time; a test asserts that it did. */
export async function comesTrue(test: () => boolean, atMostMs = 5_000): Promise<boolean> {
  const until = performance.now() + atMostMs;
  while (!test()) {
    if (performance.now() > until) return false;
    await sleep(10);
  }
  return true;
}
