import type { EverApproved } from '#gateway/ports/trust.ts';
import type { Connection } from './connection.ts';

/** Names of one server that are kept; more than any server may list at once. */
const most = 4_096;

export function createEverApproved(connection: Connection): EverApproved {
  const select = connection.prepare('SELECT name, digest FROM ever_approved WHERE server = ?');
  const upsert = connection.prepare(
    `INSERT INTO ever_approved (server, name, digest) VALUES ($server, $name, $digest)
     ON CONFLICT (server, name) DO UPDATE SET digest = $digest`,
  );
  const find = (server: string): ReadonlyMap<string, string> =>
    new Map(connection.read(() => select.all(server)).map(({ name, digest }) => [String(name), String(digest)]));
  return {
    find,
    keep(server, digests) {
      const known = find(server);
      const news = [...digests].filter(([name, digest]) => known.get(name) !== digest);
      const room = most - known.size;
      const taken = [
        ...news.filter(([name]) => known.has(name)),
        ...news.filter(([name]) => !known.has(name)).slice(0, room),
      ];
      if (taken.length === 0) return;
      connection.write(() => {
        for (const [name, digest] of taken) upsert.run({ server, name, digest });
      });
    },
  };
}
