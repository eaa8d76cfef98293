import type { CallRecord, Session } from '#gateway/core/call.ts';
import { batchRevision, type Client, isModern, legacyRevisions } from '#gateway/core/exchange.ts';
import type { MessageHeaders } from '#gateway/core/header-agreement.ts';
import type { Message, Notification, Reply, Request } from '#gateway/core/message.ts';
import { isMethod } from '#gateway/core/methods.ts';
import type { News } from '#gateway/core/news.ts';
import { isUnreadable, legacyClient, readText } from '#gateway/core/receive.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Snapshot, View } from '#gateway/core/snapshot.ts';
import type { Revocations } from '#gateway/ports/identity.ts';
import type { Gate, Log, MaybePromise } from '#gateway/ports.ts';
import { type Arrival, beginCall, messageHeaders, sendRefusal } from './arrival.ts';
import { answerTogether } from './batch.ts';
import { type Body, readBody } from './body.ts';
import type { HttpRequest, HttpResponse } from './carrier.ts';
import type { SignIn } from './challenge.ts';
import { credentialOf } from './credential.ts';
import type { HostCheck } from './hosts.ts';
import type { LiveSessions } from './live-sessions.ts';
import { type Road, travel } from './road.ts';
import { clientOf, heed, sessionOf } from './session-messages.ts';
import { openStream } from './session-stream.ts';
import type { Seal } from './sessions.ts';

/** What the MCP edge is made of. */
export interface EdgeParts {
  readonly gate: Gate;
  readonly checkHost: HostCheck;
  readonly revocations: Revocations;
  /** What servers tell without being asked. */
  readonly news: Pick<News, 'listen'>;
  /** Where people can sign in; null where they cannot. */
  readonly signIn: SignIn | null;
  readonly seal: Seal;
  readonly sessions: LiveSessions;
  readonly limits: { readonly body: number; readonly depth: number; readonly inflight: number };
  /** Whether plain calls are read by our own door, or everything by Node's HTTP server. */
  readonly door: boolean;
  readonly now: () => number;
  readonly log: Log;
}

export interface Edge extends Road {
  readonly parts: EdgeParts;
}

/**
 * The view a path names. Exact: no decoding, no folding, no `..`. Null when it was meant for MCP and names nothing, so
 * that who tries spellings is seen in the records; undefined when it is not an MCP path at all.
 */
function viewOf(path: string, snapshot: Snapshot): View | null | undefined {
  if (path === '/mcp') return snapshot.all;
  const server = /^\/mcp\/server\/([a-z0-9-]{1,12})$/.exec(path)?.[1];
  if (server !== undefined) return snapshot.byServer.get(server) ?? null;
  return /^\/+mcp(?![a-z0-9])/i.test(path) ? null : undefined;
}

/** Streamable HTTP: one message a POST, the session's stream by GET, its end by DELETE. False when it is not for MCP. */
export function arrive(edge: Edge, request: HttpRequest, response: HttpResponse): MaybePromise<void> | false {
  const snapshot = edge.parts.gate.snapshot();
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const view = viewOf(path, snapshot);
  return view === undefined ? false : handle(edge, request, response, snapshot, view);
}

function handle(
  edge: Edge,
  request: HttpRequest,
  response: HttpResponse,
  snapshot: Snapshot,
  view: View | null,
): MaybePromise<void> {
  const { checkHost, now, signIn } = edge.parts;
  const { token, proof } = credentialOf(request);
  const arrival: Arrival = { request, response, at: now(), snapshot, view, token, proof, signIn };
  const wrong = checkHost(request);
  if (wrong) return turnAway(edge, arrival, refuse('origin_forbidden', wrong));
  if (edge.closing) return turnAway(edge, arrival, refuse('overloaded', 'The gateway is shutting down.'));
  if (view === null) return settleKnown(edge, arrival, beginCall(arrival, {}), refuse('view_unknown'));
  if (request.method === 'POST') return post(edge, arrival);
  if (request.method === 'GET' || request.method === 'DELETE') return sessionRequest(edge, arrival, request.method);
  response.writeHead(405, { allow: 'POST, GET, DELETE' }).end();
}

function post(edge: Edge, arrival: Arrival): MaybePromise<void> {
  const body = readBody(arrival.request, edge.parts.limits.body);
  return body instanceof Promise ? body.then((read) => posted(edge, arrival, read)) : posted(edge, arrival, body);
}

function posted(edge: Edge, arrival: Arrival, body: Body): MaybePromise<void> {
  if ('status' in body) return turnAway(edge, arrival, refuse('message_malformed', body.why), body.status);
  const headers = messageHeaders(arrival.request);
  const read = readText(body.text, headers, edge.parts.limits.depth);
  const bytesIn = body.bytes;
  if (isUnreadable(read)) {
    const client = { revision: read.revision, capabilities: {}, info: { name: '', version: '' }, logLevel: null };
    const call = beginCall(arrival, { id: read.id, client, bytesIn });
    return settle(edge, arrival, call, read.refusal);
  }
  if (read.era === 'batch') return batchPost(edge, arrival, read.messages, bytesIn);
  const { era, message, client } = read;
  if (era === 'legacy') return legacyPost(edge, arrival, message, bytesIn);
  if (client) return request(edge, arrival, message, { client, session: null, bytesIn, paramHeaders: headers.params });
  // Nothing that such a client can tell us changes anything: its calls are cancelled by leaving them.
  return taken(edge, arrival, beginCall(arrival, { method: message.method, bytesIn }));
}

function legacyPost(edge: Edge, arrival: Arrival, message: Message, bytesIn: number): MaybePromise<void> {
  if (message.kind === 'request' && message.method === 'initialize') {
    const client = legacyClient(message.params, negotiated(message));
    return request(edge, arrival, message, { client, session: null, bytesIn });
  }
  const id = message.kind === 'notification' ? null : message.id;
  const method = message.kind === 'reply' ? 'reply' : message.method;
  const session = sessionOf(edge, arrival);
  if (isRefusal(session)) return settleKnown(edge, arrival, beginCall(arrival, { id, method, bytesIn }), session);
  const client = clientOf(edge, session);
  if (message.kind === 'request') return request(edge, arrival, message, { client, session, bytesIn });
  return small(edge, arrival, message, beginCall(arrival, { id: null, method, client, session, bytesIn }), session);
}

/** Each message of a batch is a call of its own, with its own record; what speaks for all of them is asked once. */
async function batchPost(edge: Edge, arrival: Arrival, messages: readonly Message[], bytesIn: number): Promise<void> {
  const session = sessionOf(edge, arrival);
  const whole = { method: 'batch', bytesIn };
  if (isRefusal(session)) return settleKnown(edge, arrival, beginCall(arrival, whole), session);
  const client = clientOf(edge, session);
  const call = beginCall(arrival, { ...whole, client, session });
  const no = refuse('message_malformed', `A batch is of revision ${batchRevision}: send one message a request.`);
  if (client.revision !== batchRevision) return settleKnown(edge, arrival, call, no);
  const who = await edge.parts.gate.identify(call);
  if (isRefusal(who)) return settle(edge, arrival, call, who);
  const requests = messages.filter((message) => message.kind === 'request');
  for (const message of messages) if (message.kind !== 'request') heed(edge, message, session);
  return answerTogether(
    arrival,
    requests.map((message) => (part: Arrival) => {
      const known = { client, session, bytesIn: Buffer.byteLength(JSON.stringify(message)) };
      return request(edge, part, message, known);
    }),
  );
}

async function taken(edge: Edge, arrival: Arrival, call: CallRecord): Promise<void> {
  const who = await edge.parts.gate.identify(call);
  if (isRefusal(who)) return settle(edge, arrival, call, who);
  arrival.response.writeHead(202).end();
}

const negotiated = ({ params }: Request): string =>
  legacyRevisions.find((revision) => revision === params.protocolVersion) ?? legacyRevisions[0];

interface From {
  readonly client: Client;
  readonly session: Session | null;
  readonly bytesIn: number;
  readonly paramHeaders?: MessageHeaders['params'];
}

function request(edge: Edge, arrival: Arrival, message: Request, from: From): MaybePromise<void> {
  const { id, method, params } = message;
  const known = { id, method, params, ...from };
  if (!isMethod(method, isModern(from.client.revision) ? 'modern' : 'legacy')) {
    return settle(edge, arrival, beginCall(arrival, known), refuse('method_unknown'));
  }
  return travel(edge, arrival, known);
}

/** Notifications and replies: nothing is answered but 202 (streamable-http §Sending Messages). */
async function small(
  edge: Edge,
  arrival: Arrival,
  message: Notification | Reply,
  call: CallRecord,
  session: Session,
): Promise<void> {
  const who = await edge.parts.gate.identify(call);
  if (isRefusal(who)) return settle(edge, arrival, call, who);
  heed(edge, message, session);
  arrival.response.writeHead(202).end();
}

async function sessionRequest(edge: Edge, arrival: Arrival, method: 'GET' | 'DELETE'): Promise<void> {
  const session = sessionOf(edge, arrival);
  if (isRefusal(session)) return settleKnown(edge, arrival, beginCall(arrival, { method }), session);
  const call = beginCall(arrival, { method, session, client: session.client });
  const who = await edge.parts.gate.identify(call);
  if (isRefusal(who)) return settle(edge, arrival, call, who);
  if (method === 'DELETE') {
    edge.parts.sessions.end(session.id);
    edge.events.forget(session.id);
    arrival.response.writeHead(200).end();
    return;
  }
  const refusal = openStream(edge, arrival, session, who.identity);
  if (refusal) return settle(edge, arrival, call, refusal);
}

/** Refused before it was anybody's call. */
function turnAway(edge: Edge, arrival: Arrival, refusal: Refusal, status?: number): void {
  settle(edge, arrival, beginCall(arrival, {}), refusal, status);
}

/**
 * Which servers and sessions there are is told only to who has a token. 401 comes first for everybody else: hosts decide
 * from it whether to sign in at all.
 */
async function settleKnown(edge: Edge, arrival: Arrival, call: CallRecord, refusal: Refusal): Promise<void> {
  const who = await edge.parts.gate.identify(call);
  return settle(edge, arrival, call, isRefusal(who) ? who : refusal);
}

/** Answers with a refusal, and records it. */
function settle(edge: Edge, arrival: Arrival, call: CallRecord, refusal: Refusal, status?: number): void {
  const sent = sendRefusal(arrival, call, refusal, status);
  edge.parts.gate.record(call, { kind: 'refusal', refusal }, { ...sent, left: false });
}
