import type { Quarantine } from '#gateway/core/quarantine.ts';
import type { Quarantines } from '#gateway/ports/trust.ts';
import type { Connection } from './connection.ts';

/** Stands for the whole server: no tool is named so. */
const whole = '';

interface Row {
  readonly server: string;
  readonly tool: string;
  readonly at: number;
  readonly put_by: string;
  readonly why: string | null;
}

export function createQuarantines(connection: Connection): Quarantines {
  const all = connection.prepare('SELECT server, tool, at, put_by, why FROM quarantine ORDER BY server, tool');
  const put = connection.prepare(
    `INSERT INTO quarantine (server, tool, at, put_by, why) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const lift = connection.prepare('DELETE FROM quarantine WHERE server = ? AND tool = ?');
  return {
    all: () => (connection.read(() => all.all()) as unknown as Row[]).map(quarantineOf),
    put: ({ server, tool, at, by, why }) =>
      connection.write(() => put.run(server, tool ?? whole, at, by, why).changes > 0),
    lift: (server, tool) => connection.write(() => lift.run(server, tool ?? whole).changes > 0),
  };
}

const quarantineOf = ({ server, tool, at, put_by: by, why }: Row): Quarantine => ({
  ...{ server, tool: tool === whole ? null : tool, at, by, why },
});
