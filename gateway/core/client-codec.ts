import type { Received, Session } from './call.ts';
import { errorCodes } from './error-codes.ts';
import { type Client, type Ending, type ExchangeEvent, type InputNeeded, isModern } from './exchange.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isWrapped, legacyCalled, legacyTools } from './legacy-projection.ts';
import type { MessageId } from './message.ts';
import { wantsLevel } from './methods.ts';
import { type Refusal, refusals, refuse, shownReason } from './refusals.ts';
import type { Target } from './snapshot.ts';

/**
 * The two codecs of the client's edge: the canonical form → the messages of the era that the client speaks. Pure: text
 * out, no socket. Nothing else in the program knows what a legacy or a modern answer looks like.
 */

/** One message for the client, and what the HTTP status would be if it is the first thing to leave. */
export interface Wire {
  readonly status: number;
  readonly text: string;
  /** The JSON-RPC code, when it is an error. */
  readonly errorCode: number | null;
}

/** What is known of a call when its end is written, and of its tool, when it was routed to one. */
export interface Addressee {
  readonly id: MessageId | null;
  readonly call: string;
  readonly method: string;
  readonly client: Client;
  readonly hasOutputSchema: boolean;
  /** Of a resource that was asked for: whoever is told that there is none is told which. */
  readonly uri: JsonValue;
  /** True when a legacy client was shown this output schema inside of another (legacy-projection.ts). */
  readonly wrapsOutput: boolean;
}

export const addressee = (call: Received, target: Target | null): Addressee => ({
  id: call.id,
  call: call.call,
  method: call.method,
  client: call.client,
  hasOutputSchema: target?.hasOutputSchema ?? false,
  wrapsOutput: isWrapped(target?.listed.outputSchema),
  uri: call.method === 'resources/read' ? (call.params.uri ?? null) : null,
});

export function encodeEnding(to: Addressee, ending: Ending): Wire {
  if (ending.kind === 'refusal') return encodeRefusal(to, ending.refusal);
  if (ending.kind === 'error') {
    const modern = isModern(to.client.revision);
    const code = modern && ending.error.code === errorCodes.notFoundOfLegacy ? -32602 : ending.error.code;
    return errorWire(to.id, modern && code === errorCodes.capabilityMissing ? 400 : 200, { ...ending.error, code });
  }
  if (ending.kind === 'input') return encodeInput(to, ending.input);
  if (ending.kind === 'task') return encodeTask(to, ending.task);
  const result = isModern(to.client.revision) ? modernResult(to.method, ending) : legacyResult(to, ending);
  return { status: 200, text: `{"jsonrpc":"2.0","id":${JSON.stringify(to.id)},"result":${result}}`, errorCode: null };
}

/** A legacy client was asked on its stream, or could not be: there is no such result in its era. */
function encodeInput(to: Addressee, { requests, state }: InputNeeded): Wire {
  if (!isModern(to.client.revision)) return encodeRefusal(to, refuse('input_missing'));
  const result = {
    resultType: 'input_required',
    ...(Object.keys(requests).length > 0 ? { inputRequests: requests } : {}),
    ...(state === null ? {} : { requestState: state }),
  };
  return { status: 200, text: JSON.stringify({ jsonrpc: '2.0', id: to.id, result }), errorCode: null };
}

/** A legacy client declared no such thing, so no server begins a task for it. */
function encodeTask(to: Addressee, task: JsonObject): Wire {
  if (!isModern(to.client.revision)) return encodeRefusal(to, refuse('upstream_invalid'));
  const result = { resultType: 'task', ...task };
  return { status: 200, text: JSON.stringify({ jsonrpc: '2.0', id: to.id, result }), errorCode: null };
}

function legacyResult(to: Addressee, { result, source }: Ending & { kind: 'result' }): string {
  const said = inLegacyForm(to, result);
  return said === result && source !== null ? source : JSON.stringify(said);
}

function inLegacyForm({ method, wrapsOutput }: Addressee, result: JsonObject): JsonObject {
  if (method === 'tools/call') return legacyCalled(result, wrapsOutput);
  return method === 'tools/list' ? legacyTools(result) : result;
}

/** Results that a modern client may cache, and so must be told how long: ours depend on who asks, so not at all. */
const cacheable: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

function modernResult(method: string, { result, source }: Ending & { kind: 'result' }): string {
  const added: JsonObject = cacheable.has(method)
    ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
    : { resultType: 'complete' };
  const clashes = Object.keys(added).some((name) => Object.hasOwn(result, name));
  // What a modern server said with these was read and taken out; a legacy one says nothing with them. Ours take their place.
  if (source === null || clashes || !source.startsWith('{')) return JSON.stringify({ ...result, ...added });
  const rest = source.slice(1);
  const head = JSON.stringify(added).slice(0, -1);
  return Object.keys(result).length === 0 ? `${head}${rest}` : `${head},${rest}`;
}

function encodeRefusal(to: Addressee, refusal: Refusal): Wire {
  const reason = shownReason(refusal);
  const row = refusals[reason];
  const hidden = refusal.hidden;
  const message = hidden || refusal.detail === '' ? row.says : `${row.says} ${refusal.detail}`;
  const facts = { reason, retry: row.retry, call: to.call, ...(hidden ? {} : refusal.data) } as JsonObject;
  // Also where the resource is hidden: the two must not be told apart (SEP-2164, decisions/0004).
  if (reason === 'tool_unknown' && to.uri !== null) facts.uri = to.uri;
  if (row.as === 'result' && to.method === 'tools/call' && to.id !== null) return refusedTool(to, message, facts);
  const status = reason === 'method_unknown' && isModern(to.client.revision) ? 404 : row.http;
  return errorWire(to.id, status, { code: refusal.code ?? row.code, message, data: facts });
}

/**
 * What a model can act on is a tool result, since hosts hide JSON-RPC errors from it. A tool with an output schema gets
 * no `structuredContent`: clients validate it even when `isError` is set, so the facts stand in `_meta` as well.
 */
function refusedTool(to: Addressee, message: string, facts: JsonObject): Wire {
  const result: JsonObject = {
    content: [{ type: 'text', text: message }],
    ...(to.hasOutputSchema ? {} : { structuredContent: { ...facts, message } }),
    isError: true,
    _meta: { 'dev.sekisho/refusal': facts },
  };
  return encodeEnding(to, { kind: 'result', result, source: null });
}

function errorWire(id: MessageId | null, status: number, error: JsonObject & { code: number }): Wire {
  return { status, text: JSON.stringify({ jsonrpc: '2.0', id, error }), errorCode: error.code };
}

/** An event as text, or null when this client did not ask for it. `askId` is the id that a reply will carry. */
export function encodeEvent(
  client: Client,
  session: Session | null,
  event: ExchangeEvent,
  askId: string,
): string | null {
  if (event.kind === 'ask') {
    if (!session) return null;
    return JSON.stringify({ jsonrpc: '2.0', id: askId, method: event.method, params: event.params });
  }
  if (event.method === 'notifications/message' && !wantsMessage(client, event.params.level)) return null;
  return JSON.stringify({ jsonrpc: '2.0', method: event.method, params: event.params });
}

/** A modern client that said no level gets none (basic/index §_meta); a legacy one gets all until it says one. */
const wantsMessage = (client: Client, level: unknown): boolean =>
  client.logLevel === null ? !isModern(client.revision) : wantsLevel(client.logLevel, level);
