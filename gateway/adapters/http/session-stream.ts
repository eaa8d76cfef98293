import type { Session } from '#gateway/core/call.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { type Refusal, refusals, refuse } from '#gateway/core/refusals.ts';
import type { Arrival } from './arrival.ts';
import { endInTime } from './ending.ts';
import type { LiveSession } from './live-sessions.ts';
import type { Road } from './road.ts';
import { openSse } from './sse.ts';

/**
 * The GET stream of a legacy session: what servers tell without being asked. One a session; it ends with the token. What
 * plain HTTP says it answers itself; a refusal is for the edge to answer and record.
 */
export function openStream(road: Road, arrival: Arrival, session: Session, identity: Identity): Refusal | null {
  const { response, request, at } = arrival;
  const { sessions } = road.parts;
  if (!/text\/event-stream|\*\/\*/.test(request.headers.accept ?? '')) {
    response.writeHead(406, { 'content-type': 'text/plain' }).end('Accept must include text/event-stream.\n');
    return null;
  }
  const after = request.headers['last-event-id'];
  if (typeof after === 'string') return resume(road, arrival, session, after, identity);
  const live = sessions.enter(session, at);
  if (!live) return refuse('overloaded', 'Too many sessions are open.');
  if (live.stream) {
    // A second stream must not displace the first owner's (identity-and-trust.md §5 C4).
    response.writeHead(409, { 'content-type': 'text/plain' }).end('This session has its stream already.\n');
    return null;
  }
  const sse = openSse(response);
  live.stream = response;
  const letGo = endInTime(road, identity, response, () => {
    // Nobody asked for anything here, so what remains to be said is no answer.
    void sse.send(
      message('notifications/message', { level: 'notice', logger: 'sekisho', data: whyEnded(road, identity) }),
    );
    sse.end();
  });
  response.once('close', () => {
    letGo();
    live.stream = null;
    sessions.leave(session.id);
  });
  return null;
}

/** The stream of a call goes on where a connection broke. The call itself ends as it would have on the first one. */
function resume(
  road: Road,
  { response }: Arrival,
  session: Session,
  after: string,
  identity: Identity,
): Refusal | null {
  const goOn = road.events.find(session.id, after);
  if (!goOn) return refuse('event_unknown');
  const sse = openSse(response);
  response.once(
    'close',
    endInTime(road, identity, response, () => sse.end()),
  );
  goOn(sse);
  return null;
}

function whyEnded(road: Road, identity: Identity): string {
  if (road.closing) return 'The gateway is shutting down.';
  const revoked = road.parts.revocations.find(identity);
  return revoked ? refusals[revoked.refused].says : 'The token expired: open the stream again with a new one.';
}

/** Tells the sessions that can see this server that one of its lists changed. */
export function tellChanged(road: Road, server: string, what: 'tools' | 'prompts' | 'resources'): void {
  const text = frame(`notifications/${what}/list_changed`, {});
  for (const live of watching(road, server)) live.stream?.write(text);
}

/** Tells the sessions that subscribed to it that a resource was updated. */
export function tellUpdated(road: Road, server: string, uri: string): void {
  const text = frame('notifications/resources/updated', { uri });
  for (const live of watching(road, server)) if (live.subscriptions?.has(`${server} ${uri}`)) live.stream?.write(text);
}

/** A slow reader is skipped rather than buffered for: a notice says only "look again". */
function* watching(road: Road, server: string): Generator<LiveSession> {
  for (const [, live] of road.parts.sessions.all()) {
    const sees = live.view === 'default' || live.view === server;
    if (sees && live.stream && !live.stream.writableNeedDrain) yield live;
  }
}

const message = (method: string, params: object): string => JSON.stringify({ jsonrpc: '2.0', method, params });
const frame = (method: string, params: object): string => `event: message\ndata: ${message(method, params)}\n\n`;
