import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressRange } from '#gateway/core/address.ts';
import { mayDial } from '#gateway/core/egress.ts';

/** All addresses of a name. In tests a resolver that changes its mind. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export interface Egress {
  /**
   * Makes connections to addresses that were checked, and to no others: the very answer that was judged is dialled, so
   * a name that changes between check and connection (rebinding) gains nothing. TLS still verifies the name.
   */
  connector(options: ConnectorOptions): buildConnector.connector;
  /** For sockets of our own: what it does not answer is not dialled. */
  readonly lookup: LookupFunction;
  /** An address is dialled as it is, without any look-up: is this one that may not be? */
  isClosed(host: string): boolean;
}

export interface ConnectorOptions {
  /** Milliseconds until the connection stands, the look-up included. */
  readonly timeout: number;
  /** PEM of the authorities to believe instead of the public ones. */
  readonly ca?: string | null;
  /** False for a URL that a remote document named: what the config opened is not open to it. */
  readonly opened?: boolean;
}

/** Its message says nothing of the address: it may reach who chose the URL. */
class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly code = 'EGRESS_REFUSED';
  constructor() {
    super('the gateway may not connect to this address');
  }
}

const system: Resolve = (name) => lookup(name, { all: true, verbatim: true });

export function createEgress(options: {
  readonly opened: readonly AddressRange[];
  readonly resolve?: Resolve | undefined;
  /** Told of what was refused: only the operator may read the name and its addresses. */
  readonly refused?: (name: string, answers: readonly string[]) => void;
}): Egress {
  const { opened, resolve = system, refused } = options;

  async function checked(name: string, open: readonly AddressRange[]) {
    const answers = await resolve(name);
    const addresses = answers.map(({ address }) => address);
    if (mayDial(addresses, open)) return answers;
    refused?.(name, addresses);
    throw new EgressRefused();
  }

  const lookUpIn =
    (open: readonly AddressRange[]): LookupFunction =>
    (name, { all = false }, callback) => {
      checked(name, open).then(
        (answers) => {
          if (all)
            callback(
              null,
              answers.map((one) => ({ ...one })),
            );
          else callback(null, answers[0]?.address ?? '', answers[0]?.family);
        },
        (fault: unknown) => callback(fault instanceof Error ? fault : new Error(String(fault)), ''),
      );
    };

  return {
    lookup: lookUpIn(opened),
    isClosed: (host) => isIP(host) !== 0 && !mayDial([host], opened),
    connector({ timeout, ca = null, opened: mayBeOpened = true }) {
      const open = mayBeOpened ? opened : [];
      const tcp = { timeout, allowH2: false, lookup: lookUpIn(open) };
      const connect = buildConnector(ca === null ? tcp : { ...tcp, ca });
      return (target, callback) => {
        if (isIP(target.hostname) === 0 || mayDial([target.hostname], open)) return connect(target, callback);
        refused?.(target.hostname, [target.hostname]);
        callback(new EgressRefused(), null);
      };
    },
  };
}
