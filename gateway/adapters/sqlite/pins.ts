import type { Definitions } from '#gateway/core/manifest.ts';
import type { Pins } from '#gateway/ports/trust.ts';
import type { Connection } from './connection.ts';
import { storedJson } from './stored-json.ts';

interface Row {
  readonly definitions: string;
  readonly pinned: number;
  readonly pinned_by: string;
  readonly record: string;
}

export function createPins(connection: Connection): Pins {
  const select = connection.prepare('SELECT definitions, pinned, pinned_by, record FROM pin WHERE server = ?');
  const insert = connection.prepare(
    'INSERT INTO pin (server, definitions, pinned, pinned_by, record) VALUES (?, ?, ?, ?, ?)',
  );
  const update = connection.prepare(
    'UPDATE pin SET definitions = ?, pinned = ?, pinned_by = ?, record = ? WHERE server = ?',
  );
  const rowOf = (server: string): Row | undefined => select.get(server) as Row | undefined;

  return {
    find: (server) => {
      const row = connection.read(() => rowOf(server));
      if (!row) return null;
      const definitions = storedJson(row.definitions, connection.path, `the pin of server ${server}`) as Definitions;
      return { definitions, pinned: row.pinned, by: row.pinned_by, record: row.record };
    },
    put: (server, { definitions, pinned, by, record }, expected) => {
      const text = JSON.stringify(definitions);
      return connection.write(() => {
        const row = rowOf(server);
        if (row && row.pinned !== expected) return false;
        if (row) update.run(text, pinned, by, record, server);
        else insert.run(server, text, pinned, by, record);
        return true;
      });
    },
  };
}
