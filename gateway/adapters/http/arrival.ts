import { randomUUID } from 'node:crypto';
import { type CallRecord, createCall, type Received, type Session } from '#gateway/core/call.ts';
import { type Addressee, addressee, encodeEnding, type Wire } from '#gateway/core/client-codec.ts';
import { type Client, isModern, legacyRevisions } from '#gateway/core/exchange.ts';
import type { MessageHeaders } from '#gateway/core/header-agreement.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { createLeaving, type Departure } from '#gateway/core/leaving.ts';
import type { MessageId } from '#gateway/core/message.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Snapshot, View } from '#gateway/core/snapshot.ts';
import type { HttpRequest, HttpResponse } from './carrier.ts';
import { challenge, type SignIn } from './challenge.ts';
import type { Credential } from './credential.ts';
import type { SseWriter } from './sse.ts';

/** One HTTP request at the edge, before anything is known of its message. */
export interface Arrival extends Credential {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly at: number;
  readonly snapshot: Snapshot;
  /** Null when the path names no server we have. */
  readonly view: View | null;
  readonly signIn: SignIn | null;
  /** Set for a message of a batch: where its messages leave, between those of the others. */
  readonly shared?: SseWriter;
}

const unnamed: Client = {
  revision: legacyRevisions[0],
  capabilities: {},
  info: { name: '', version: '' },
  logLevel: null,
};

const nowhere: View = {
  name: 'none',
  servers: [],
  tools: new Map(),
  prompts: new Map(),
  resources: new Map(),
  templates: [],
  pages: new Map(),
};

/** What of a message became known so far. */
export interface Known {
  readonly id?: MessageId | null;
  readonly method?: string;
  readonly params?: JsonObject;
  readonly client?: Client;
  readonly session?: Session | null;
  readonly bytesIn?: number;
  readonly signal?: Departure;
  readonly paramHeaders?: MessageHeaders['params'] | null;
}

const never = createLeaving();

/** The record of a call, begun with what is known of it: also of one that is refused before it could be read. */
export function beginCall(
  arrival: Pick<Arrival, 'at' | 'snapshot' | 'view' | 'token' | 'proof'>,
  known: Known,
): CallRecord {
  const received: Received = {
    call: randomUUID(),
    at: arrival.at,
    id: known.id ?? null,
    method: known.method ?? '',
    params: known.params ?? {},
    client: known.client ?? unnamed,
    view: arrival.view ?? nowhere,
    snapshot: arrival.snapshot,
    token: arrival.token,
    proof: arrival.proof,
    session: known.session ?? null,
    paramHeaders: known.paramHeaders ?? null,
    bytesIn: known.bytesIn ?? 0,
    trace: null,
    signal: known.signal ?? never,
    dryRun: false,
  };
  return createCall(received);
}

/** The headers that speak of the message. */
export function messageHeaders({ headers, rawHeaders }: Pick<HttpRequest, 'headers' | 'rawHeaders'>): MessageHeaders {
  const revision = text(headers['mcp-protocol-version']);
  const modern = revision !== undefined && isModern(revision);
  return {
    revision,
    method: text(headers['mcp-method']),
    name: text(headers['mcp-name']),
    params: modern ? paramsOf(headers) : {},
    twice: modern ? mcpTwice(rawHeaders) : null,
  };
}

function paramsOf(headers: HttpRequest['headers']): Record<string, string> {
  const params: Record<string, string> = {};
  for (const name in headers) if (name.startsWith('mcp-param-')) params[name] = text(headers[name]) ?? '';
  return params;
}

function mcpTwice(rawHeaders: readonly string[]): string | null {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (!name.startsWith('mcp-')) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

const text = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? withoutOuterBlanks(value) : undefined;

/**
 * Optional white space (RFC 9110 §5.6.3), and no other: a no-break space is a part of the value. By hand, because a
 * pattern for blanks at the end begins anew at every blank: 30 KB of them in a header would stop the gateway for a second.
 */
function withoutOuterBlanks(value: string): string {
  let [from, to] = [0, value.length];
  while (from < to && isBlank(value.charCodeAt(from))) from++;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--;
  return to - from === value.length ? value : value.slice(from, to);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Sends one JSON message and ends the response. */
function sendWire(response: HttpResponse, wire: Wire, headers: Readonly<Record<string, string>> = {}): number {
  const bytes = Buffer.byteLength(wire.text);
  if (response.destroyed || response.writableEnded) return 0;
  response.writeHead(wire.status, { 'content-type': 'application/json', 'content-length': bytes, ...headers });
  // A text of as many bytes as characters is ASCII, and leaves without being encoded.
  response.end(wire.text, bytes === wire.text.length ? 'latin1' : 'utf8');
  return bytes;
}

/** The one message that answers: the whole response, or a part of the answer to a batch. */
export function deliver({ response, shared }: Arrival, wire: Wire, headers: Readonly<Record<string, string>>): number {
  if (!shared) return sendWire(response, wire, headers);
  const before = shared.bytes();
  void shared.send(wire.text);
  return shared.bytes() - before;
}

/** A refusal as it leaves: some reasons speak HTTP as well. */
export function sendRefusal(
  arrival: Arrival,
  call: CallRecord,
  refusal: Refusal,
  status?: number,
): Wire & { bytes: number } {
  const wire = encodeEnding(to(call), { kind: 'refusal', refusal });
  const sent = status === undefined ? wire : { ...wire, status };
  return { ...sent, bytes: deliver(arrival, sent, refusalHeaders(sent.status, refusal, arrival.signIn)) };
}

export const to = (call: CallRecord): Addressee => addressee(call, call.target);

function refusalHeaders(status: number, refusal: Refusal, signIn: SignIn | null): Record<string, string> {
  const asked = challenge(status, refusal, signIn);
  const { nonce } = refusal.data;
  const nonced = refusal.refused === 'proof_nonce' && typeof nonce === 'string' ? { 'dpop-nonce': nonce } : {};
  if (asked !== null) return { 'www-authenticate': asked, ...nonced };
  if (status === 503) return { 'retry-after': '1' };
  // What is left of a body we will not read would otherwise be taken for the next request.
  return status === 413 ? { connection: 'close' } : {};
}
