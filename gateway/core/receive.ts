import { type Client, isModern, metaKeys, modernRevisions, supportedRevisions } from './exchange.ts';
import { isFlaw, isJsonObject, type JsonObject, parseStrict } from './json.ts';
import { isMalformed, type Message, type MessageId, readMessage } from './message.ts';
import { type Refusal, refuse } from './refusals.ts';

/** The headers that say something about a message; values as they came, names in lower case. */
export interface MessageHeaders {
  readonly revision: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

/** A message that could be read, in its era. `client` is null for a legacy one: its session knows. */
export interface Read {
  readonly message: Message;
  readonly client: Client | null;
}

export interface Unreadable {
  readonly refusal: Refusal;
  readonly id: MessageId | null;
  /** The revision to answer in, as far as it could be told. */
  readonly revision: string;
}

export const isUnreadable = (value: Read | Unreadable): value is Unreadable => 'refusal' in value;

/** JSON-RPC 2.0 §5.1. */
const parseError = -32700;

/** Bytes → one message, told apart by era (protocol.md C1), or the refusal that says what is wrong with it. */
export function readText(text: string, headers: MessageHeaders, depth: number): Read | Unreadable {
  const parsed = parseStrict(text, depth);
  const revision = headers.revision ?? '';
  if (isFlaw(parsed)) {
    const flaw = `The body ${parsed.flaw} (at character ${parsed.at}).`;
    return { refusal: { ...refuse('message_malformed', flaw), code: parseError }, id: null, revision };
  }
  const message = readMessage(parsed.value);
  if (isMalformed(message)) {
    return { refusal: refuse('message_malformed', `${message.malformed}.`), id: message.id, revision };
  }
  return message.kind === 'request' ? readEra(message, headers) : readSmall(message, headers);
}

type Request = Message & { kind: 'request' };

/** A modern claim is the reserved `_meta` key; a malformed envelope never falls back to legacy. */
function readEra(message: Request, headers: MessageHeaders): Read | Unreadable {
  const meta = isJsonObject(message.params._meta) ? message.params._meta : {};
  const claimed = Object.hasOwn(meta, metaKeys.revision);
  const no = (refusal: Refusal): Unreadable => ({ refusal, id: message.id, revision: modernRevisions[0] });
  if (!claimed && headers.revision !== undefined && isModern(headers.revision)) {
    if (message.method === 'initialize') return no(refuse('header_mismatch', 'initialize has no modern revision.'));
    return no(refuse('envelope_missing', `"params._meta" must hold "${metaKeys.revision}".`));
  }
  if (!claimed) return { message, client: null };
  const revision = meta[metaKeys.revision];
  const capabilities = meta[metaKeys.capabilities];
  if (typeof revision !== 'string') return no(refuse('envelope_missing', `"${metaKeys.revision}" must be a string.`));
  if (headers.revision !== revision) {
    return no(refuse('header_mismatch', 'MCP-Protocol-Version is not what the body says.'));
  }
  if (!(modernRevisions as readonly string[]).includes(revision)) {
    const data = { supported: [...supportedRevisions], requested: revision };
    return no(refuse('version_unsupported', `Supported: ${supportedRevisions.join(', ')}.`, data));
  }
  if (!isJsonObject(capabilities))
    return no(refuse('envelope_missing', `"${metaKeys.capabilities}" must be an object.`));
  const mismatch = headerMismatch(message, headers);
  if (mismatch) return no(refuse('header_mismatch', mismatch));
  return { message, client: modernClient(revision, capabilities, meta) };
}

function readSmall(message: Message, headers: MessageHeaders): Read | Unreadable {
  const modern = headers.revision !== undefined && isModern(headers.revision);
  if (!modern || message.kind === 'notification') return { message, client: null };
  const refusal = refuse('message_malformed', 'A client of this revision posts no replies.');
  return { refusal, id: null, revision: modernRevisions[0] };
}

function modernClient(revision: string, capabilities: JsonObject, meta: JsonObject): Client {
  const level = meta[metaKeys.logLevel];
  return {
    revision,
    capabilities,
    info: clientInfo(meta[metaKeys.info]),
    logLevel: typeof level === 'string' ? level : null,
  };
}

/** What a legacy client says at `initialize`. */
export const legacyClient = (params: JsonObject, revision: string): Client => ({
  revision,
  capabilities: isJsonObject(params.capabilities) ? params.capabilities : {},
  info: clientInfo(params.clientInfo),
  logLevel: null,
});

/** Self-reported, so cut to a length that records can bear. */
function clientInfo(value: unknown): Client['info'] {
  const { name, version } = isJsonObject(value) ? value : { name: '', version: '' };
  return { name: String(name ?? '').slice(0, 64), version: String(version ?? '').slice(0, 32) };
}

/** Which member of the body `Mcp-Name` mirrors, by method (protocol.md A4). */
const mirrored: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/** A gateway that reads bodies must reject a header that disagrees with them: whoever trusted it was misled. */
function headerMismatch(message: Request, headers: MessageHeaders): string | null {
  if (headers.method !== message.method) return 'Mcp-Method is missing or is not the method of the body.';
  const member = mirrored[message.method];
  if (member === undefined) return null;
  const name = headers.name === undefined ? null : decodeSentinel(headers.name);
  return name === message.params[member] ? null : `Mcp-Name is missing or is not "params.${member}" of the body.`;
}

const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** `=?base64?…?=` → its text (A4 §Value Encoding); null for bad padding or alphabet, anything else is itself. */
export function decodeSentinel(value: string): string | null {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const encoded = sentinel.exec(value)?.[1];
  if (encoded === undefined || encoded.length % 4 !== 0) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0)));
  } catch {
    return null;
  }
}
