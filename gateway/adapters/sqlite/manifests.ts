import type { SeenManifest } from '#gateway/core/manifest.ts';
import type { SeenManifests } from '#gateway/ports/trust.ts';
import type { Connection } from './connection.ts';

export function createSeenManifests(connection: Connection): SeenManifests {
  const select = connection.prepare('SELECT seq, digest FROM manifest_seen WHERE server = ?');
  const raise = connection.prepare(
    `INSERT INTO manifest_seen (server, seq, digest) VALUES ($server, $seq, $digest)
     ON CONFLICT (server) DO UPDATE SET seq = $seq, digest = $digest WHERE seq < $seq`,
  );
  const find = (server: string): SeenManifest | null => {
    const row = connection.read(() => select.get(server)) as SeenManifest | undefined;
    return row ? { seq: row.seq, digest: row.digest } : null;
  };
  return {
    find,
    raise(server, { seq, digest }) {
      // It is asked for at every look; nearly always nothing is new.
      if ((find(server)?.seq ?? -1) < seq) connection.write(() => raise.run({ server, seq, digest }));
    },
  };
}
