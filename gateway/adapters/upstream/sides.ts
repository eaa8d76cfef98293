import type { Era } from '#gateway/core/exchange.ts';
import type { Upstream, UpstreamCall } from '#gateway/ports.ts';
import type { Link } from './link.ts';

/** A server as it is spoken to in one era. */
export interface Side extends Upstream {
  /** Does this call come back with a ticket that was given here? */
  holds(call: UpstreamCall): boolean;
  /** Takes nothing new; resolves when the calls under way, and those that wait for their callers, are over. */
  retire(): Promise<void>;
}

/** The side that a server is spoken to in now, and those that it was before, for as long as calls go on there. */
export interface Sides {
  of(era: Era): Side;
  /** Where this call goes on, if that is in an era which the server has left. */
  former(call: UpstreamCall): Side | null;
  close(): Promise<void>;
}

export function createSides({ link, make }: { readonly link: Link; make(era: Era): Side }): Sides {
  let current: { readonly era: Era; readonly side: Side } | null = null;
  const former = new Set<Side>();

  const retire = (side: Side): void => {
    former.add(side);
    link.behind(side.retire().finally(() => former.delete(side)));
  };

  return {
    of(era) {
      if (current?.era === era) return current.side;
      link.log.debug({ server: link.server, era }, 'a server is spoken to in this era');
      if (current) {
        link.log.warn({ server: link.server, era }, 'a server speaks another era than it did');
        retire(current.side);
      }
      const side = make(era);
      current = { era, side };
      return side;
    },
    former(call) {
      for (const side of former) if (side.holds(call)) return side;
      return null;
    },
    async close() {
      const all = current ? [current.side, ...former] : [...former];
      await Promise.all(all.map((side) => side.close()));
    },
  };
}
