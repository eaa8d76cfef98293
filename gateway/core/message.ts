import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** JSON-RPC 2.0 as MCP narrows it: ids are strings or safe integers, never null (basic/index §Requests). */
export type MessageId = string | number;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: JsonValue;
}

export interface Request {
  readonly kind: 'request';
  readonly id: MessageId;
  readonly method: string;
  readonly params: JsonObject;
}

export interface Notification {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject;
}

/** What a legacy client posts to answer a question that an upstream asked on its stream. */
export interface Reply {
  readonly kind: 'reply';
  readonly id: MessageId;
  readonly result: JsonObject | null;
  readonly error: RpcError | null;
}

export type Message = Request | Notification | Reply;

export interface Malformed {
  readonly malformed: string;
  /** The id to answer to, when one could be read. */
  readonly id: MessageId | null;
}

export const isMalformed = (value: unknown): value is Malformed =>
  typeof value === 'object' && value !== null && 'malformed' in value;

const envelope = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const known = new Set([
  ...['_meta', 'name', 'arguments', 'uri', 'cursor', 'ref', 'argument', 'context', 'level', 'requestId'],
  ...['protocolVersion', 'capabilities', 'clientInfo', 'inputResponses', 'requestState', 'task'],
]);

/** Reads a strictly parsed JSON value as one JSON-RPC message. */
export function readMessage(value: JsonValue): Message | Malformed {
  if (Array.isArray(value)) return malformed('a batch is not accepted: send one message a request', null);
  if (!isJsonObject(value)) return malformed('a message is an object', null);
  const id = value.id;
  const answerTo = isMessageId(id) ? id : null;
  if (value.jsonrpc !== '2.0') return malformed('"jsonrpc" must be "2.0"', answerTo);
  for (const member of Object.keys(value)) {
    if (!envelope.has(member)) return malformed(`unknown member ${JSON.stringify(member)}`, answerTo);
  }
  if (id !== undefined && answerTo === null) return malformed('"id" must be a string or an integer', null);
  if ('result' in value || 'error' in value) return readReply(value, answerTo);
  if (typeof value.method !== 'string') return malformed('"method" must be a string', answerTo);
  const params = value.params ?? {};
  if (!isJsonObject(params)) return malformed('"params" must be an object', answerTo);
  const twin = lookAlike(params);
  if (twin) return malformed(`${JSON.stringify(twin)} looks like a protocol member and is not one`, answerTo);
  if (params._meta !== undefined && !isJsonObject(params._meta)) {
    return malformed('"params._meta" must be an object', answerTo);
  }
  if (params._meta?.progressToken !== undefined && !isMessageId(params._meta.progressToken)) {
    return malformed('"progressToken" must be a string or an integer', answerTo);
  }
  if (answerTo === null) return { kind: 'notification', method: value.method, params };
  return { kind: 'request', id: answerTo, method: value.method, params };
}

export const isMessageId = (id: unknown): id is MessageId =>
  (typeof id === 'string' && id.length <= 512) || (typeof id === 'number' && Number.isSafeInteger(id));

function readReply(value: JsonObject, id: MessageId | null): Reply | Malformed {
  if (id === null || 'method' in value) return malformed('a reply has an "id" and no "method"', id);
  const error = readError(value.error);
  if ('result' in value === (error !== null)) return malformed('a reply has either "result" or "error"', id);
  if (error) return { kind: 'reply', id, result: null, error };
  if (!isJsonObject(value.result)) return malformed('"result" must be an object', id);
  return { kind: 'reply', id, result: value.result, error: null };
}

export function readError(value: JsonValue | undefined): RpcError | null {
  if (!isJsonObject(value)) return null;
  const { code, message, data } = value;
  if (typeof code !== 'number' || typeof message !== 'string') return null;
  return data === undefined ? { code, message } : { code, message, data };
}

/**
 * A member that a case-insensitive or Unicode-folding parser would take for one of the protocol's: `Name`, `argumentſ`.
 * Two Go gateways let such a twin decide what really ran (GHSA-4gph-2hhr-5mwg, CVE-2026-27896).
 */
function lookAlike(params: JsonObject): string | null {
  for (const member of Object.keys(params)) {
    if (known.has(member)) continue;
    if (foldable.has(fold(member))) return member;
  }
  return null;
}

// Most names are plain, and those have one form.
const fold = (name: string): string => (/^[ -~]*$/.test(name) ? name : name.normalize('NFKC')).toLowerCase();
const foldable = new Set([...known].map(fold));

const malformed = (why: string, id: MessageId | null): Malformed => ({ malformed: why, id });
