import { readBatch } from './batch.ts';
import { eraOf } from './eras.ts';
import { type Client, metaKeys, modernRevisions } from './exchange.ts';
import { type MessageHeaders, standardMismatch } from './header-agreement.ts';
import { isFlaw, isJsonObject, type JsonObject, parseStrict } from './json.ts';
import { isMalformed, type Message, type MessageId, type Notification, type Request, readMessage } from './message.ts';
import { isRefusal, type Refusal, refuse } from './refusals.ts';

/** A message that could be read, in its era. A legacy one does not say who asks: its session knows. */
export type Read =
  | { readonly era: 'modern'; readonly message: Request; readonly client: Client }
  | { readonly era: 'modern'; readonly message: Notification; readonly client: null }
  | { readonly era: 'legacy'; readonly message: Message; readonly client: null }
  | Batch;

/** Several messages in one request, each of which is a call of its own. */
export interface Batch {
  readonly era: 'batch';
  readonly messages: readonly Message[];
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

/** Bytes → one message, told apart by era, or several legacy ones, or the refusal that says what is wrong with it. */
export function readText(text: string, headers: MessageHeaders, depth: number): Read | Unreadable {
  const parsed = parseStrict(text, depth);
  const revision = headers.revision ?? '';
  if (isFlaw(parsed)) {
    const flaw = `The body ${parsed.flaw} (at character ${parsed.at}).`;
    return { refusal: { ...refuse('message_malformed', flaw), code: parseError }, id: null, revision };
  }
  if (Array.isArray(parsed.value)) {
    const messages = readBatch(parsed.value, headers);
    return isRefusal(messages) ? { refusal: messages, id: null, revision } : { era: 'batch', messages };
  }
  const message = readMessage(parsed.value);
  if (isMalformed(message)) {
    return { refusal: refuse('message_malformed', `${message.malformed}.`), id: message.id, revision };
  }
  return inItsEra(message, headers);
}

function inItsEra(message: Message, headers: MessageHeaders): Read | Unreadable {
  const era = eraOf(message, headers);
  const no = (refusal: Refusal): Unreadable => {
    const id = message.kind === 'request' ? message.id : null;
    return { refusal, id, revision: modernRevisions[0] };
  };
  if (isRefusal(era)) return no(era);
  // No rung of the ladder leads a reply there.
  if (era === 'legacy' || message.kind === 'reply') return { era: 'legacy', message, client: null };
  if (message.kind === 'notification') return { era, message, client: null };
  const mismatch = standardMismatch(message, headers);
  if (mismatch !== null) return no(refuse('header_mismatch', mismatch));
  return { era, message, client: modernClient(message.params._meta as JsonObject) };
}

/** Who asks, as the envelope says it, which the ladder has checked. */
function modernClient(meta: JsonObject): Client {
  const level = meta[metaKeys.logLevel];
  return {
    revision: String(meta[metaKeys.revision]),
    capabilities: meta[metaKeys.capabilities] as JsonObject,
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
