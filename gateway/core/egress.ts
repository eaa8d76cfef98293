import { type Address, type AddressRange, contains, isWithin, parseAddress, parseRange } from './address.ts';

/**
 * Where the gateway itself may connect to. Everything that is not plainly public is refused (IANA special-purpose
 * registries, and the lists that CVE-2026-44430 lacked); of that, a config may open some ranges, and never the rest.
 *
 * Throws for what is no range: a row left out of these lists would be a hole, so the gateway does not start with one.
 */
const ranges = (...texts: readonly string[]): readonly AddressRange[] =>
  texts.map((text) => {
    const range = parseRange(text);
    if (!range) throw new Error(`"${text}" is not an address range`);
    return range;
  });

/** A config may open parts of these: `egress.private`. */
const openable = ranges(
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '100.64.0.0/10'],
  ...['::1/128', 'fc00::/7'],
);

/** Inside what is public or openable, and still nothing that a gateway ever has to reach. */
const never = ranges(
  ...['0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  // Metadata services of clouds that stand outside 169.254/16: Azure, Alibaba, AWS and Google on IPv6.
  ...['168.63.129.16/32', '100.100.100.200/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
  // Teredo, ORCHID and their like; documentation; 6to4, which carries any IPv4 address inside.
  ...['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
);

/** Global unicast. NAT64 (64:ff9b::/96), IPv4-mapped, site-local, link-local and multicast all lie outside. */
const publicSix = ranges('2000::/3');

/** Why a range cannot stand in `egress.private`, or null. */
export function rangeTrouble(text: string): string | null {
  const range = parseRange(text);
  if (!range) return 'is not an address range: write 10.0.0.0/8 or 127.0.0.1';
  if (openable.some((outer) => contains(outer, range))) return null;
  return 'is not a private range: parts of 10/8, 172.16/12, 192.168/16, 127/8, 100.64/10, ::1 and fc00::/7 can be opened';
}

export type AddressClass = 'public' | 'private' | 'refused';

/** @param opened What the config opened; `private` is an address inside it. */
export function classOf(text: string, opened: readonly AddressRange[]): AddressClass {
  const address = parseAddress(text);
  if (!address || within(address, never)) return 'refused';
  if (within(address, opened)) return 'private';
  if (within(address, openable)) return 'refused';
  return address.family === 4 || within(address, publicSix) ? 'public' : 'refused';
}

/** What the host of a URL is, before any name is asked. */
export type HostClass = 'public' | 'private' | 'loopback' | 'special' | 'name';

/** Names by which clouds serve credentials to whoever asks from inside. */
const metadataNames: ReadonlySet<string> = new Set(['metadata', 'metadata.google.internal', 'instance-data']);
const loopback = ranges('127.0.0.0/8', '::1/128');

/** @param host Lower case, without brackets. `special` is link-local, metadata services, multicast and the like. */
export function hostClass(host: string): HostClass {
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  const address = parseAddress(host);
  if (!address) return metadataNames.has(host) ? 'special' : 'name';
  if (within(address, loopback)) return 'loopback';
  if (within(address, never)) return 'special';
  if (within(address, openable)) return 'private';
  return address.family === 4 || within(address, publicSix) ? 'public' : 'special';
}

const within = (address: Address, list: readonly AddressRange[]): boolean =>
  list.some((range) => isWithin(address, range));

/**
 * May a name be dialled that resolves to these? Every answer must be, and all of one class: a name that is public and
 * private at once is how a rebinding begins.
 */
export function mayDial(answers: readonly string[], opened: readonly AddressRange[]): boolean {
  const classes = new Set(answers.map((answer) => classOf(answer, opened)));
  return classes.size === 1 && !classes.has('refused');
}

/** A URL that can be judged before any name is asked: its host is an address, or the name of this machine. */
export function isClosedUrl(url: string, opened: readonly AddressRange[]): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return !mayDial(['127.0.0.1'], opened);
  return parseAddress(host) !== null && !mayDial([host], opened);
}

export const openedRanges = (texts: readonly string[]): readonly AddressRange[] => ranges(...texts);
