import {
  type ControlApi,
  type ControlRefusal,
  controlRefusal,
  type ServerStatus,
} from '#gateway/adapters/control/api.ts';
import type { Gateway } from '#gateway/compose.ts';
import type { Quarantine } from '#gateway/core/quarantine.ts';

type Verbs = Pick<ControlApi['servers'], 'quarantine' | 'release'>;

/**
 * Takes a server or a tool out of use, and back. Nothing is asked of the server: it may be what is wrong. What was approved of
 * it stays approved.
 *
 * @param status Of the server after it, or why there is none of that name.
 */
export function quarantineOf(gateway: Gateway, status: (id: string) => ServerStatus | ControlRefusal): Verbs {
  const { config, quarantines, store, snapshots } = gateway;
  const known = (id: string): boolean => Object.hasOwn(config.servers, id);
  return {
    quarantine(id, { tool = null, by, why }) {
      // A name that nobody serves is a typing error, and whoever made it believes that something is closed.
      if (known(id) && tool !== null && !snapshots.current().byServer.get(id)?.tools.has(tool)) {
        return controlRefusal('unknown', `Server "${id}" has no approved tool "${tool}": sekisho servers tools ${id}.`);
      }
      if (known(id)) store.quarantines.put({ server: id, tool, at: Date.now(), by, why });
      quarantines.refresh();
      return status(id);
    },
    release(id, { tool = null }) {
      if (known(id) && !store.quarantines.lift(id, tool)) {
        return controlRefusal('conflict', `${tool === null ? 'It' : `Its tool "${tool}"`} is not in quarantine.`);
      }
      quarantines.refresh();
      return status(id);
    },
  };
}

/** For people, beside whatever else is to say of the server. */
export function outOfUse(list: readonly Quarantine[]): string {
  const whole = list.find(({ tool }) => tool === null);
  if (whole) return `quarantined by ${whole.by}`;
  return list.length === 0 ? '' : `${list.length} of its tools quarantined`;
}
