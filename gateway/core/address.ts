/** One network address as a number, so that it can be compared with ranges. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** All addresses whose first `bits` bits are those of `base`. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly bits: number;
}

const width = { 4: 32, 6: 128 } as const;

/**
 * Reads the textual forms that resolvers answer with, and no others: no octal, no short form, no zone (`fe80::1%eth0`).
 * What two programs could read apart is null.
 */
export function parseAddress(text: string): Address | null {
  const four = parseFour(text);
  if (four !== null) return { family: 4, value: four };
  const six = parseSix(text);
  return six === null ? null : { family: 6, value: six };
}

/** `10.0.0.0/8`, or one address; null when bits beyond the prefix are set, since then the writer meant something else. */
export function parseRange(text: string): AddressRange | null {
  const [address = '', prefix, ...rest] = text.split('/');
  const parsed = parseAddress(address);
  if (!parsed || rest.length > 0 || (prefix !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefix))) return null;
  const { family, value } = parsed;
  const bits = prefix === undefined ? width[family] : Number(prefix);
  if (bits > width[family]) return null;
  const hostBits = (1n << BigInt(width[family] - bits)) - 1n;
  return (value & hostBits) === 0n ? { family, base: value, bits } : null;
}

export function isWithin({ family, value }: Address, range: AddressRange): boolean {
  if (family !== range.family) return false;
  const shift = BigInt(width[family] - range.bits);
  return value >> shift === range.base >> shift;
}

/** Is all of `inner` inside `outer`? */
export const contains = (outer: AddressRange, inner: AddressRange): boolean =>
  inner.bits >= outer.bits && isWithin({ family: inner.family, value: inner.base }, outer);

function parseFour(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseSix(text: string): bigint | null {
  const whole = withoutDots(text);
  if (whole === null || !/^[0-9a-f:]{2,39}$/i.test(whole)) return null;
  const halves = whole.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...(head ?? []), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  const missing = 8 - groups.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const filled = tail === undefined ? groups : [...(head ?? []), ...Array<string>(missing).fill('0'), ...tail];
  return filled.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** `::ffff:127.0.0.1` in groups only. */
function withoutDots(text: string): string | null {
  if (!text.includes('.')) return text;
  const at = text.lastIndexOf(':') + 1;
  const four = parseFour(text.slice(at));
  if (four === null || at === 0) return null;
  return `${text.slice(0, at)}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`;
}

/** Names and addresses, as a config or a URL writes them, that never leave this machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
