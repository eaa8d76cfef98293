import type { LookupFunction } from 'node:net';
import { type buildConnector, Pool } from 'undici';
import type { Failures } from './failures.ts';
import { createExchange, type Exchange, type WireRequest } from './http-exchange.ts';
import { createDial, placeOf } from './plain/dial.ts';
import { createPlainPool } from './plain/pool.ts';

/** The connections to one server with one credential. */
export interface Wire {
  open(request: WireRequest): Exchange;
  /**
   * Leaves all connections to finish what they carry and starts new ones. HTTP/1.1 answers have no ids: when one came to
   * the wrong request, every later one on that connection would, too.
   */
  renew(): void;
  close(): Promise<void>;
}

/** How connections are opened: to addresses that were checked, and to no others. */
export interface Egress {
  connector(options: { readonly timeout: number }): buildConnector.connector;
  readonly lookup: LookupFunction;
  /** Is this an address that may not be dialled? */
  isClosed(host: string): boolean;
}

/** Who writes POST requests to `http:` URLs: our own client, or undici as for everything else. */
export type Carrier = 'own' | 'undici';

const idleSocket = 4_000;
const oldestSocket = 300_000;

export function createWire(options: {
  readonly url: string;
  readonly connect: number;
  readonly egress: Egress;
  readonly failures: Failures;
  readonly carrier?: Carrier;
}): Wire {
  const { connect, egress, failures, carrier = 'own' } = options;
  const url = new URL(options.url);
  const { origin, pathname, search } = url;
  const path = `${pathname}${search}`;
  const pools = new Set<Pool>();

  const makePool = (): Pool => {
    const made = new Pool(origin, {
      // HTTP/1.1 with one request at a time a socket: what undici promises about stray answers holds for that.
      allowH2: false,
      pipelining: 1,
      connect: egress.connector({ timeout: connect }),
      // Ours are exact, know when a person is being asked, and end with the call.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleSocket,
      clientTtl: oldestSocket,
    });
    pools.add(made);
    return made;
  };
  let pool = makePool();
  const keep = { idle: idleSocket, age: oldestSocket };
  const place = placeOf(url);
  // An address is dialled without any look-up: one that may not be dialled is left to the connector, which says so.
  const own = carrier === 'own' && url.protocol === 'http:' && !egress.isClosed(place.host);
  const dial = createDial({ ...place, lookup: egress.lookup });
  const plain = own ? createPlainPool({ url, connect, say: failures, keep, dial }) : null;

  const retire = async (old: Pool): Promise<void> => {
    // `close` rejects when `destroy` comes in between, which is fine with everybody.
    await old.close().catch(() => undefined);
    pools.delete(old);
  };

  return {
    open(request) {
      const { method, body } = request;
      if (plain !== null && method === 'POST' && body !== null) return plain.post(request, body);
      return createExchange(pool, path, request, failures);
    },
    renew() {
      plain?.renew();
      const old = pool;
      pool = makePool();
      void retire(old);
    },
    async close() {
      plain?.close();
      await Promise.all([...pools].map((each) => each.destroy()));
    },
  };
}
