import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

const mostLinks = 4;
const longest = 256;

/**
 * Who acted before, as an `act` claim says it (RFC 8693 §4.1): `sub` and `iss` of a link, and no more than four links. It is
 * history that a token carries on; nothing decides on it.
 */
export function actorsOf(act: JsonValue | undefined, links = mostLinks): JsonObject | null {
  if (act === undefined || !isJsonObject(act) || !isName(act.sub) || links === 0) return null;
  const { sub, iss } = act;
  const earlier = actorsOf(act.act, links - 1);
  return { ...(isName(iss) ? { iss } : {}), sub, ...(earlier ? { act: earlier } : {}) };
}

const isName = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= longest;
