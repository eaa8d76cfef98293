import type { Answer, Ending } from '#gateway/core/exchange.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { bodyKind, readAnswer, readFault } from './body.ts';
import type { Head } from './http-exchange.ts';
import type { Link } from './link.ts';
import { readStream } from './stream.ts';
import { type Begun, beginTurn, type Outgoing, type Turn } from './turn.ts';

/** The server does not know the session any more, so it did not do what it was asked. */
export interface Gone {
  readonly kind: 'gone';
}

const gone: Gone = { kind: 'gone' };

/** Asks a server for something. The answer may be whole, or a stream that goes on after this has returned. */
export async function request(link: Link, out: Outgoing): Promise<Answer | Gone> {
  const begun = beginTurn(link, out);
  const head = await begun.turn.exchange.head;
  if (isRefusal(head)) return ended(link, begun, { kind: 'refusal', refusal: head });
  out.onHead?.(head);
  const answer = await answerOf(begun, head);
  if (answer.kind === 'stream') link.contact({ kind: 'up' });
  if (answer.kind === 'stream') return answer;
  if (answer.kind !== 'gone') return ended(link, begun, answer);
  begun.pass();
  return answer;
}

function ended<Whole extends Ending>(link: Link, begun: Begun, answer: Whole): Whole {
  if (answer.kind !== 'refusal') {
    link.contact({ kind: 'up' });
    begun.release('answered');
    return answer;
  }
  const { refused, detail } = answer.refusal;
  if (refused === 'upstream_unreachable') link.contact({ kind: 'down', why: detail });
  begun.release(answer.refusal);
  return answer;
}

const no = (refusal: Refusal): Ending => ({ kind: 'refusal', refusal });

async function answerOf(begun: Begun, head: Head): Promise<Answer | Gone> {
  const { turn } = begun;
  const { failures } = turn.link;
  const { status, headers } = head;
  if (status >= 400 && status < 500) return faultOf(turn, status, bodyKind(head) === 'json');
  if (status === 202) return no(failures.invalid('accepted a request (HTTP 202) that it has to answer', { status }));
  if (status !== 200) return no(failures.status(status));
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return no(failures.invalid('answered with a Content-Encoding, which it was asked not to use'));
  }
  if (Number(headers['content-length'] ?? 0) > turn.left) return no(failures.tooLarge(turn.out.answerBytes));
  const kind = bodyKind(head);
  if (kind === 'json') return readAnswer(turn);
  if (kind === 'events') return readStream(begun);
  return no(failures.invalid('answered with a Content-Type that is neither application/json nor text/event-stream'));
}

const aboutUs = new Set([401, 403, 407, 408, 429]);

/**
 * A 4xx. When it carries a JSON-RPC error with our id, the server did read the request: that is its answer. Otherwise,
 * in a session, 404 means that the session is over, and in the field 400 may mean it, too (protocol.md B).
 */
async function faultOf(turn: Turn, status: number, json: boolean): Promise<Ending | Gone> {
  const { link, out } = turn;
  const error = json && !aboutUs.has(status) ? await readFault(turn) : null;
  if (error) return error;
  if ((status === 404 || status === 400) && out.session !== null && out.session.id !== null) return gone;
  return no(link.failures.status(status));
}
