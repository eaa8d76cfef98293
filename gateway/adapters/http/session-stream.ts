import type { Session } from '#gateway/core/call.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { changesFor, type NewsItem } from '#gateway/core/news.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { type Refusal, refusals, refuse } from '#gateway/core/refusals.ts';
import type { View } from '#gateway/core/snapshot.ts';
import { thingOf } from '#gateway/core/subscribed.ts';
import type { Arrival } from './arrival.ts';
import { endInTime } from './ending.ts';
import type { LiveSession } from './live-sessions.ts';
import type { Road } from './road.ts';
import { openSse, type SseWriter } from './sse.ts';

/**
 * The GET stream of a legacy session: what servers tell without being asked. One a session; it ends with the token. What
 * plain HTTP says it answers itself; a refusal is for the edge to answer and record.
 */
export function openStream(road: Road, arrival: Arrival, session: Session, identity: Identity): Refusal | null {
  const { response, request, at, view } = arrival;
  const { sessions } = road.parts;
  if (!/text\/event-stream|\*\/\*/.test(request.headers.accept ?? '')) {
    response.writeHead(406, { 'content-type': 'text/plain' }).end('Accept must include text/event-stream.\n');
    return null;
  }
  const after = request.headers['last-event-id'];
  if (typeof after === 'string') return resume(road, arrival, session, after, identity);
  const live = sessions.open(session, at);
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
  const stop = createLeaving();
  response.once('close', () => {
    stop.abort();
    letGo();
    live.stream = null;
    sessions.tidy(session.id);
  });
  if (view) void tell(road, sse, live, road.parts.news.listen(wantedBy(view, identity, live), stop));
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

/** Tells what the servers of its view tell, at the client's pace: what came meanwhile is told once. */
async function tell({ parts }: Road, sse: SseWriter, live: LiveSession, news: AsyncIterable<NewsItem>): Promise<void> {
  try {
    for await (const item of news) {
      if (item.kind === 'changed') await sse.send(message(`notifications/${item.what}/list_changed`, {}));
      else {
        // By the name that the client subscribed to, which may say whose it is.
        const uri = live.subscribed?.nameOf(thingOf(item)) ?? item.uri;
        await sse.send(message('notifications/resources/updated', { uri }));
      }
    }
  } catch (fault) {
    parts.log.error({ fault }, 'a fault in the stream of a session');
    sse.end();
  }
}

/** Of lists, what the caller may know; of resources, what this session subscribed to. */
function wantedBy(view: View, { ceiling }: Identity, live: LiveSession): (item: NewsItem) => boolean {
  const may = changesFor(view, ceiling);
  return (item) => (item.kind === 'changed' ? may(item) : (live.subscribed?.nameOf(thingOf(item)) ?? null) !== null);
}

const message = (method: string, params: object): string => JSON.stringify({ jsonrpc: '2.0', method, params });
