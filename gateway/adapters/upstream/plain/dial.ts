import { connect, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';

/** Opens one TCP connection; the only place of this client that does. */
export type Dial = (onread: OnReadOpts) => Socket;

/** Where to. `lookup` stands between a name and its addresses: what it does not give back is never dialled. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly lookup?: LookupFunction;
}

export const createDial =
  (place: Place): Dial =>
  (onread) =>
    connect({ ...place, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });

/** Of a plain `http:` URL. */
export const placeOf = ({ hostname, port }: URL): Place => ({
  host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
  port: port === '' ? 80 : Number(port),
});
