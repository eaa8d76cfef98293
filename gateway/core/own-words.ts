import { isJsonObject, type JsonObject } from './json.ts';

/** `_meta` members by which the gateway speaks to hosts: a refusal, an incomplete list. Nobody else's are passed on. */
const ours = 'dev.sekisho/';

/** The result without what speaks in the name of the gateway; the very object where nothing does. */
export function withoutOurWords(result: JsonObject): JsonObject {
  const { _meta: meta } = result;
  if (!isJsonObject(meta)) return result;
  const kept = Object.entries(meta).filter(([name]) => !name.toLowerCase().startsWith(ours));
  return kept.length === Object.keys(meta).length ? result : { ...result, _meta: Object.fromEntries(kept) };
}
