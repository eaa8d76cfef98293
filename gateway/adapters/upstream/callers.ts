import type { Caller } from '#gateway/core/caller-assertion.ts';
import type { Credential } from '#gateway/ports.ts';
import type { Link } from './link.ts';
import type { Wire } from './wire.ts';

/** The links of callers who each have a credential of their own at one server. */
export interface Callers {
  of(caller: Caller): Link;
  close(): Promise<void>;
}

/** Those who called last; of the others the credential is forgotten, and got again when they call. */
const mostCallers = 1_000;

/** @param makeWire Connections are not shared either: an answer that came late must not reach somebody else's call. */
export function createCallers(link: Link, makeWire: () => Wire, credentialOf: (caller: Caller) => Credential): Callers {
  // In the order of their last call.
  const links = new Map<string, Link>();

  // No more of the caller than its name: what is given here is a whole call, and would be kept as long as the credential.
  const make = ({ principal, run }: Caller): Link => {
    const credential = credentialOf({ principal, run });
    const own: Link = { ...link, wire: makeWire(), credential, whose: 'caller', as: () => own };
    return own;
  };

  return {
    of(caller) {
      const key = JSON.stringify([caller.principal, caller.run]);
      const found = links.get(key) ?? make(caller);
      links.delete(key);
      links.set(key, found);
      const [oldest] = links.keys();
      // Its connections end by themselves when they are idle; a call that is under way keeps its own.
      if (links.size > mostCallers && oldest !== undefined) links.delete(oldest);
      return found;
    },
    async close() {
      await Promise.all([...links.values()].map(({ wire }) => wire.close()));
    },
  };
}
