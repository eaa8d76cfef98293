import { type Client, isModern } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';

/** What a legacy server may ask of a client, and the capability that must have been declared for it. */
const askable: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/** The parts of a capability that are passed on. `roots.listChanged` is not: no such notification is. */
const parts: Readonly<Record<string, readonly string[]>> = {
  elicitation: ['form', 'url'],
  sampling: ['tools', 'context'],
  roots: [],
};

/**
 * What we declare upstream for this caller: what it declared, as far as its question can be brought to it. A self-contained
 * caller cannot be asked in the middle of a call (protocol.md C3), so for it nothing is declared, and nothing will be asked.
 *
 * Only known members are kept, so there are few different declarations, however many ways there are to write them.
 */
export const declaredFor = (client: Client): JsonObject => (isModern(client.revision) ? {} : knownParts(client));

/** What this caller declared, as far as it is known here. */
export function knownParts(client: Client): JsonObject {
  const declared: JsonObject = {};
  for (const [name, members] of Object.entries(parts)) {
    const capability = client.capabilities[name];
    if (!isJsonObject(capability)) continue;
    const kept = members.filter((member) => isJsonObject(capability[member]));
    declared[name] = Object.fromEntries(kept.map((member) => [member, {}]));
  }
  return declared;
}

export const isQuestion = (method: string): boolean => Object.hasOwn(askable, method);

/** What a client has to declare to be asked this. */
export const requiredFor = (method: string, params: JsonObject): JsonObject => ({
  [askable[method] ?? method]: method === 'elicitation/create' && params.mode === 'url' ? { url: {} } : {},
});

/** May a server ask this of a client that declared these capabilities? */
export function mayAsk(declared: JsonObject, method: string, params: JsonObject): boolean {
  const name = Object.hasOwn(askable, method) ? askable[method] : undefined;
  if (name === undefined) return false;
  const capability = declared[name];
  if (!isJsonObject(capability)) return false;
  // `elicitation: {}` means forms (2025-11-25 §Elicitation).
  return method !== 'elicitation/create' || params.mode !== 'url' || capability.url !== undefined;
}
