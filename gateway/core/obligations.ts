import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { type PatchOp, pathOf } from './json-patch.ts';
import { isSecretKind, type SecretKind } from './secret-kinds.ts';
import { bothTaints, isTag, isTainted, type Taint, untainted } from './taint.ts';

/** What may not be seen: places, and kinds of text wherever they stand. */
export interface Redaction {
  /** JSON pointers; `*` stands for every element of a list. */
  readonly pointers: readonly string[];
  readonly kinds: readonly SecretKind[];
}

const rateKeys = ['principal', 'agent', 'run', 'server', 'tool'] as const;
export type RateKey = (typeof rateKeys)[number];

export interface RateRule {
  /** Calls that agree in all of these count together. */
  readonly key: readonly RateKey[];
  readonly perMinute: number;
}

/**
 * What must be done with a call that is allowed. One that is unknown, or cannot be met, withholds: the call does not go, or
 * its answer does not come back (AuthZEN: an unknown or failed obligation is a deny).
 */
export interface Obligations {
  /** Bytes of answer at most; the smallest of all rules and of the server's own cap holds. */
  readonly answerBytes: number | null;
  /** Milliseconds for the server at most; the same. */
  readonly timeoutMs: number | null;
  readonly rates: readonly RateRule[];
  /** What the arguments become, in this order; nothing of what a redaction hides is sent, patched in or not. */
  readonly patches: readonly PatchOp[];
  readonly unsent: Redaction | null;
  /** What of the answer does not come back. */
  readonly unseen: Redaction | null;
  /** The decision log keeps this call's arguments. */
  readonly logged: boolean;
  /** Why the run ends here, whatever the verdict; null while it does not. */
  readonly halts: string | null;
  /** OAuth scopes that the caller's token must have; who signed in is asked to do so again for them. */
  readonly scopes: readonly string[];
  /** What the run has read once this call was sent. */
  readonly taints: Taint;
  /** What there are, for the record. */
  readonly types: readonly string[];
}

export const noObligations: Obligations = {
  ...{ answerBytes: null, timeoutMs: null, rates: [], patches: [], unsent: null, unseen: null, logged: false },
  ...{ halts: null, scopes: [], taints: untainted, types: [] },
};

/** A rule that makes a row of each fact makes as many as a caller likes, and each is held against each. */
const mostRows = 256;

/** All of them together, or the sentence that says what is wrong with one. */
export function readObligations(value: JsonValue | undefined): Obligations | string {
  if (value === undefined) return noObligations;
  if (!Array.isArray(value)) return 'the obligations are not a list';
  if (value.length > mostRows) return `there are more than ${mostRows} obligations`;
  let all = noObligations;
  for (const row of value) {
    const read = isJsonObject(row) ? readRow(row) : null;
    if (read === null) return `an obligation that is not known, or not whole: ${typeOf(row)}`;
    if (read.patches && overlap(all.patches, read.patches)) return 'two obligations patch the same argument';
    all = merged(all, { ...noObligations, ...read });
  }
  return all;
}

/** Its type, if there is such a one, and no more: the rest may repeat an argument, and this sentence is read by many. */
const typeOf = (row: JsonValue): string =>
  isJsonObject(row) && obligationTypes.some((type) => type === row.type) ? `"${row.type}"` : 'of no known type';

const merged = (a: Obligations, b: Obligations): Obligations => ({
  answerBytes: least(a.answerBytes, b.answerBytes),
  timeoutMs: least(a.timeoutMs, b.timeoutMs),
  rates: [...new Map([...a.rates, ...b.rates].map((rule) => [JSON.stringify(rule), rule])).values()],
  patches: [...a.patches, ...b.patches],
  unsent: bothRedactions(a.unsent, b.unsent),
  unseen: bothRedactions(a.unseen, b.unseen),
  logged: a.logged || b.logged,
  halts: a.halts ?? b.halts,
  scopes: [...new Set([...a.scopes, ...b.scopes])],
  taints: bothTaints(a.taints, b.taints),
  types: [...new Set([...a.types, ...b.types])],
});

/** Of two decisions about one call: what the first asked for still holds when the second was asked about other arguments. */
export const both = (first: Obligations, second: Obligations): Obligations => ({
  ...merged(first, second),
  patches: second.patches,
});

const least = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

export const bothRedactions = (a: Redaction | null, b: Redaction | null): Redaction | null =>
  a === null || b === null
    ? (a ?? b)
    : { pointers: [...new Set([...a.pointers, ...b.pointers])], kinds: [...new Set([...a.kinds, ...b.kinds])] };

/** Patches of one obligation follow one another; those of two have no order, so neither may touch what the other does. */
const overlap = (a: readonly PatchOp[], b: readonly PatchOp[]): boolean => {
  const others = b.map(reachOf);
  return a.map(reachOf).some((one) => others.some((other) => one.startsWith(other) || other.startsWith(one)));
};

/** What a patch touches: of a list that grows or shrinks all of it, since every element behind gets another number. */
const reachOf = ({ op, path }: PatchOp): string =>
  op === 'replace' ? `${path}/` : `${path.replace(/\/(?:\d+|-)$/, '')}/`;

type Read = (properties: JsonObject) => Partial<Obligations> | null;

function readRow({ id, type, properties = {}, ...rest }: JsonObject): Partial<Obligations> | null {
  if (id !== undefined && typeof id !== 'string') return null;
  if (typeof type !== 'string' || !Object.hasOwn(readers, type) || !isJsonObject(properties)) return null;
  const read = isEmpty(rest) ? (readers[type as keyof typeof readers] as Read)(properties) : null;
  return read && { ...read, types: [type] };
}

const readers = {
  max_answer_bytes: ({ bytes, ...rest }) => (isEmpty(rest) && isPositive(bytes) ? { answerBytes: bytes } : null),
  timeout: ({ ms, ...rest }) => (isEmpty(rest) && isPositive(ms) ? { timeoutMs: ms } : null),
  rate_limit({ key, per_min, ...rest }) {
    const names = typeof key === 'string' ? key.split('+') : [];
    const known = rateKeys.filter((name) => names.includes(name));
    if (!isEmpty(rest) || names.length === 0 || known.length !== names.length || !isPositive(per_min) || per_min < 1)
      return null;
    return { rates: [{ key: known, perMinute: per_min }] };
  },
  redact({ on, pointers = [], kinds = [], ...rest }) {
    if (!isEmpty(rest) || !isListOf(pointers, isPointer) || !isListOf(kinds, isSecretKind)) return null;
    if (pointers.length + kinds.length === 0) return null;
    if (on === 'arguments') return { unsent: { pointers, kinds } };
    return on === 'result' ? { unseen: { pointers, kinds } } : null;
  },
  patch_arguments: ({ ops, ...rest }) =>
    isEmpty(rest) && isListOf(ops, isPatchOp) && ops.length > 0 ? { patches: ops } : null,
  log: ({ level, ...rest }) => (isEmpty(rest) && level === 'full' ? { logged: true } : null),
  step_up: ({ scope, ...rest }) => (isEmpty(rest) && isScope(scope) ? { scopes: [scope] } : null),
  taint({ add = [], sensitivity = [], ...rest }) {
    if (!isEmpty(rest) || !isListOf(add, isTag) || !isListOf(sensitivity, isTag)) return null;
    const taints = { taint: add, sensitivity };
    return isTainted(taints) ? { taints } : null;
  },
  halt_run: ({ reason, ...rest }) =>
    isEmpty(rest) && typeof reason === 'string' && reason !== '' ? { halts: reason } : null,
} satisfies Record<string, Read>;

export const obligationTypes = Object.keys(readers);

const isEmpty = (rest: JsonObject): boolean => Object.keys(rest).length === 0;
const isPositive = (value: JsonValue | undefined): value is number => typeof value === 'number' && value > 0;
/** RFC 6749 §3.3; it stands in a header, between quotes. */
export const isScope = (value: unknown): value is string =>
  typeof value === 'string' && /^[!#-[\]-~]{1,128}$/.test(value);
const isPointer = (value: unknown): value is string => pathOf(value) !== null;

const isListOf = <T>(value: unknown, is: (one: unknown) => one is T): value is T[] =>
  Array.isArray(value) && value.every(is);

function isPatchOp(value: unknown): value is PatchOp {
  if (!isJsonObject(value) || !isPointer(value.path)) return false;
  const { op, path, value: put, ...rest } = value;
  if (!isEmpty(rest)) return false;
  return op === 'remove' ? put === undefined : (op === 'add' || op === 'replace') && put !== undefined;
}
