import { mostTags, type Taint } from '#gateway/core/taint.ts';
import type { Taints } from '#gateway/ports.ts';
import type { Connection } from './connection.ts';

/** Since a run was last tainted: longer than anything goes on in one. */
const keptMs = 366 * 86_400_000;

const kinds = ['taint', 'sensitivity'] as const satisfies readonly (keyof Taint)[];

/** Read from the file each time: what another process wrote of the run counts at once. */
export function createTaints(connection: Connection): Taints {
  const tags = connection.prepare('SELECT kind, tag FROM run_taint WHERE run = ? ORDER BY kind, tag');
  const add = connection.prepare(
    'INSERT INTO run_taint (run, kind, tag, at) VALUES (?, ?, ?, ?) ON CONFLICT (run, kind, tag) DO NOTHING',
  );
  const forget = connection.prepare(
    'DELETE FROM run_taint WHERE run IN (SELECT run FROM run_taint GROUP BY run HAVING max(at) < ? LIMIT 100)',
  );

  function of(run: string): Taint {
    const rows = connection.read(() => tags.all(run)) as unknown as readonly { kind: string; tag: string }[];
    const named = (wanted: string) => rows.filter(({ kind }) => kind === wanted).map(({ tag }) => tag);
    return { taint: named('taint'), sensitivity: named('sensitivity') };
  }
  return {
    of,
    add(run, more, now) {
      // An ordinary call adds nothing, and pays for no transaction.
      const before = of(run);
      if (kinds.every((kind) => more[kind].every((tag) => before[kind].includes(tag)))) return true;
      return connection.write(() => {
        const there = of(run);
        if (kinds.some((kind) => new Set([...there[kind], ...more[kind]]).size > mostTags)) return false;
        forget.run(now - keptMs);
        for (const kind of kinds) for (const tag of more[kind]) add.run(run, kind, tag, now);
        return true;
      });
    },
  };
}
