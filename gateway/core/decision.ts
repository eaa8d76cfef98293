import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { both, type Obligations, readObligations } from './obligations.ts';

declare const minted: unique symbol;

interface Grounds {
  readonly codes: readonly string[];
  readonly messages: readonly string[];
  /** Codes of rules that hold and only warn: for the record. */
  readonly warned: readonly string[];
  /** Codes of rules that hold and are being tried out: for the record, and for nobody else. */
  readonly shadowed: readonly string[];
  /** Of a denial only those are met that end a run or log the call. */
  readonly obligations: Obligations;
}

/** The proof that `forward` wants. Only this file can make one: the brand is not exported. */
export interface Allowed extends Grounds {
  readonly [minted]: true;
  readonly verdict: 'allow';
}

/** Allowed once a person agrees. */
export interface Ask extends Grounds {
  readonly verdict: 'ask';
  readonly groups: readonly string[];
  /** Seconds that an approval stays good. */
  readonly ttl: number;
  readonly notRequester: boolean;
  /** What the call becomes when it was approved. */
  readonly granted: Allowed;
}

export interface Denied extends Grounds {
  readonly verdict: 'deny';
}

/** The policy's document had a shape we do not know: nothing may be concluded from it but no. */
export interface Unusable {
  readonly verdict: 'unusable';
  readonly why: string;
}

export type Decision = Allowed | Ask | Denied;

const members = new Set(['grant', 'deny', 'approve', 'warn', 'obligations']);
/** How far a rule counts; `enforce` where it does not say. */
const modes = new Set(['enforce', 'warn', 'shadow']);

/**
 * Reads the document a policy returned: deny > ask > grant > deny by default. What is unknown (a member, a mode, an
 * obligation, a type) makes the whole document unusable: a rule we cannot read might have been the deny.
 */
export function decide(document: unknown): Decision | Unusable {
  if (!isJsonObject(document)) return unusable('the decision is not an object');
  for (const name of Object.keys(document)) {
    if (!members.has(name)) return unusable('it has a member that is not known');
  }
  const grants = rows(document, 'grant', grantShape);
  const denies = rows(document, 'deny', denyShape);
  const asks = rows(document, 'approve', askShape);
  const warns = rows(document, 'warn', warnShape);
  const obligations = readObligations(document.obligations);
  const wrong = [grants, denies, asks, warns, obligations].find((part) => typeof part === 'string');
  if (typeof wrong === 'string') return unusable(wrong);
  return merge(list(grants), list(denies), list(asks), list(warns), obligations as Obligations);
}

function merge(
  grants: readonly JsonObject[],
  denies: readonly JsonObject[],
  asks: readonly JsonObject[],
  warns: readonly JsonObject[],
  obligations: Obligations,
): Decision {
  const held = (rows: readonly JsonObject[], mode: string) => rows.filter((row) => (row.mode ?? 'enforce') === mode);
  const enforced = held(denies, 'enforce');
  const asking = held(asks, 'enforce');
  const rules = [...denies, ...asks];
  const beside = {
    warned: [...warns, ...held(rules, 'warn')].map(code),
    shadowed: held(rules, 'shadow').map(code),
    obligations,
  };
  if (enforced.length > 0) {
    return { verdict: 'deny', codes: enforced.map(code), messages: enforced.map(sentence), ...beside };
  }
  if (grants.length === 0) {
    return { verdict: 'deny', codes: ['NOT_GRANTED'], messages: ['No rule grants this call.'], ...beside };
  }
  const granted = allowed({ codes: grants.map((grant) => String(grant.id)), messages: [], ...beside });
  if (asking.length === 0) return granted;
  return {
    verdict: 'ask',
    codes: asking.map(code),
    messages: asking.map(sentence),
    ...beside,
    groups: asking.flatMap((ask) => (Array.isArray(ask.groups) ? ask.groups.map(String) : [])),
    ttl: Math.min(...asking.map((ask) => (typeof ask.ttl_s === 'number' ? ask.ttl_s : 900))),
    notRequester: asking.some((ask) => ask.not_requester === true),
    granted,
  };
}

const allowed = (grounds: Grounds): Allowed => ({ verdict: 'allow', ...grounds }) as Allowed;

/** A call that was judged again, because the policy had changed its arguments: the second word, and what both oblige to. */
export function rejudged(first: Allowed | Ask, second: Allowed | Ask): Allowed | Ask {
  const obligations = both(first.obligations, second.obligations);
  if (second.verdict === 'allow') return allowed({ ...second, obligations });
  return { ...second, obligations, granted: allowed({ ...second.granted, obligations }) };
}

type Shape = (row: JsonObject) => boolean;

const text = (value: JsonValue | undefined): boolean => typeof value === 'string';
const optional = (value: JsonValue | undefined, type: string): boolean =>
  value === undefined || value === null || typeof value === type;
const only = (row: JsonObject, names: readonly string[]): boolean => Object.keys(row).every((k) => names.includes(k));

const grantShape: Shape = (row) => text(row.id) && only(row, ['id']);
const warnShape: Shape = (row) => text(row.code) && text(row.message) && only(row, ['code', 'message']);
const isMode = (mode: JsonValue | undefined): boolean =>
  mode === undefined || (typeof mode === 'string' && modes.has(mode));
const denyShape: Shape = (row) =>
  text(row.code) && text(row.message) && isMode(row.mode) && only(row, ['code', 'message', 'detail', 'mode']);
const askShape: Shape = (row) =>
  text(row.code) &&
  optional(row.message, 'string') &&
  (row.groups === undefined || (Array.isArray(row.groups) && row.groups.every(text))) &&
  (row.min === undefined || row.min === 1) &&
  (row.ttl_s === undefined || (typeof row.ttl_s === 'number' && row.ttl_s > 0 && row.ttl_s <= 86_400)) &&
  (row.scope === undefined || row.scope === 'call') &&
  optional(row.not_requester, 'boolean') &&
  (row.form === undefined || row.form === null) &&
  isMode(row.mode) &&
  only(row, ['code', 'message', 'groups', 'min', 'ttl_s', 'scope', 'not_requester', 'form', 'mode']);

/**
 * The rows of one member, or the sentence that says what is wrong with it. Callers read that sentence: it repeats nothing of
 * the document, which may hold what a rule looked at, or the policy's own data.
 */
function rows(document: JsonObject, member: string, shape: Shape): readonly JsonObject[] | string {
  const value = document[member];
  if (value === undefined) return [];
  if (!Array.isArray(value)) return `its member "${member}" is not a list`;
  for (const row of value) {
    if (!isJsonObject(row) || !shape(row)) return `a row of its member "${member}" has an unknown shape`;
  }
  return value as JsonObject[];
}

const list = (value: readonly JsonObject[] | string): readonly JsonObject[] => (typeof value === 'string' ? [] : value);
const code = (row: JsonObject): string => String(row.code);
const sentence = (row: JsonObject): string => (typeof row.message === 'string' ? row.message : String(row.code));
const unusable = (why: string): Unusable => ({ verdict: 'unusable', why });
