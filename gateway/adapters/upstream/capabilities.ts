import { errorCodes } from '#gateway/core/error-codes.ts';
import { type Client, type Ending, isModern } from '#gateway/core/exchange.ts';
import { extensionsOf } from '#gateway/core/extensions.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { declaresTasks, tasksExtension } from '#gateway/core/tasks.ts';

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
 * caller cannot be asked in the middle of a call (protocol.md C3), so for it no question is declared, and none will be asked.
 *
 * Only known members are kept, so there are few different declarations, however many ways there are to write them.
 */
export const declaredFor = (client: Client): JsonObject =>
  isModern(client.revision) ? extensionsOf(client.capabilities) : knownParts(client);

/** What this caller declared, as far as it is known here. */
export function knownParts(client: Client): JsonObject {
  const declared: JsonObject = extensionsOf(client.capabilities);
  for (const [name, members] of Object.entries(parts)) {
    const capability = client.capabilities[name];
    if (!isJsonObject(capability)) continue;
    const kept = members.filter((member) => isJsonObject(capability[member]));
    declared[name] = Object.fromEntries(kept.map((member) => [member, {}]));
  }
  return declared;
}

/** The same for a modern server, which may begin a task when the caller can look at it again. */
export function declaredToModern(client: Client): JsonObject {
  const known = knownParts(client);
  if (!isModern(client.revision) || !declaresTasks(client.capabilities)) return known;
  const extensions = isJsonObject(known.extensions) ? known.extensions : {};
  return { ...known, extensions: { ...extensions, [tasksExtension]: {} } };
}

export const isQuestion = (method: string): boolean => Object.hasOwn(askable, method);

/** The "no" to a question that a caller did not declare it can be asked: what it has to declare for it (A10). */
export function undeclared(method: string, params: JsonObject, message: string): Ending {
  const needed = method === 'elicitation/create' && params.mode === 'url' ? { url: {} } : {};
  const data = { requiredCapabilities: { [askable[method] ?? method]: needed } };
  return { kind: 'error', error: { code: errorCodes.capabilityMissing, message, data } };
}

/** May a server ask this of a client that declared these capabilities? */
export function mayAsk(declared: JsonObject, method: string, params: JsonObject): boolean {
  const name = Object.hasOwn(askable, method) ? askable[method] : undefined;
  if (name === undefined) return false;
  const capability = declared[name];
  if (!isJsonObject(capability)) return false;
  // `elicitation: {}` means forms (2025-11-25 §Elicitation).
  return method !== 'elicitation/create' || params.mode !== 'url' || capability.url !== undefined;
}
