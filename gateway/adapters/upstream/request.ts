import { type Answer, type Ending, noAnswer } from '#gateway/core/exchange.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { aboutOf, concernsAll } from '#gateway/core/upstream-status.ts';
import type { MaybePromise } from '#gateway/ports.ts';
import { bodyKind, readAnswer, readFault } from './body.ts';
import type { Head } from './http-exchange.ts';
import type { Link } from './link.ts';
import { readStream } from './stream.ts';
import { type Outgoing, Turn } from './turn.ts';

/** The server does not know the session any more, so it did not do what it was asked. */
export interface Gone {
  readonly kind: 'gone';
}

const gone: Gone = { kind: 'gone' };

/** Asks a server for something. The answer may be whole, or a stream that goes on after this has returned. */
export async function request(link: Link, out: Outgoing): Promise<Answer | Gone> {
  const waiting = credited(link, out);
  const lacking = waiting instanceof Promise ? await waiting : waiting;
  if (lacking !== null) return unsent(out, lacking);
  let turn = new Turn(link, out);
  let head = await turn.exchange.head;
  if (!isRefusal(head) && head.status === 401 && link.credential.rejected(turn.credential)) {
    // It did nothing, and says why: with another credential it is asked once more.
    turn.pass();
    const refusal = await credited(link, out);
    if (refusal) return unsent(out, refusal);
    turn = new Turn(link, out);
    head = await turn.exchange.head;
  }
  if (isRefusal(head)) return ended(turn, noAnswer(head));
  out.onHead?.(head);
  const reading = answerOf(turn, head);
  const answer = reading instanceof Promise ? await reading : reading;
  if (answer.kind === 'gone') turn.pass();
  else if (answer.kind !== 'stream') return ended(turn, answer);
  else link.contact(up);
  return answer;
}

/** Waits for the credential, if it has to be fetched, but no longer than anybody waits for the answer. */
function credited({ credential }: Link, { life }: Outgoing): MaybePromise<Refusal | null> {
  const fetching = credential.ready();
  return fetching === null ? life.over : life.race(fetching);
}

function unsent({ life, done }: Outgoing, refusal: Refusal): Ending {
  life.end();
  done();
  return noAnswer(refusal);
}

const up = { kind: 'up' } as const;

function ended<Whole extends Ending>(turn: Turn, answer: Whole): Whole {
  if (answer.kind !== 'refusal') {
    turn.link.contact(up);
    turn.release('answered');
    return answer;
  }
  if (isDown(turn.link, answer.refusal)) turn.link.contact({ kind: 'down', why: answer.refusal.detail });
  turn.release(answer.refusal);
  return answer;
}

const isDown = ({ whose }: Link, { refused, data: { status } }: Refusal): boolean =>
  refused === 'upstream_unreachable' && (typeof status !== 'number' || concernsAll(status, whose));

/** At once for a body that is there already, which most are by the time their head is looked at. */
function answerOf(turn: Turn, head: Head): MaybePromise<Answer | Gone> {
  const { failures } = turn.link;
  const { status, headers } = head;
  if (status >= 400 && status < 500) return faultOf(turn, status, bodyKind(head) === 'json');
  if (status === 202)
    return noAnswer(failures.invalid('accepted a request (HTTP 202) that it has to answer', { status }));
  if (status !== 200) return noAnswer(failures.status(status));
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return noAnswer(failures.invalid('answered with a Content-Encoding, which it was asked not to use'));
  }
  if (Number(headers['content-length'] ?? 0) > turn.left) return noAnswer(failures.tooLarge(turn.out.answerBytes));
  const kind = bodyKind(head);
  if (kind === 'json') return readAnswer(turn);
  if (kind === 'events') return readStream(turn);
  return noAnswer(
    failures.invalid('answered with a Content-Type that is neither application/json nor text/event-stream'),
  );
}

/**
 * A 4xx. When it carries a JSON-RPC error with our id, the server did read the request: that is its answer. Otherwise,
 * in a session, 404 means that the session is over, and in the field 400 may mean it, too (protocol.md B).
 */
async function faultOf(turn: Turn, status: number, json: boolean): Promise<Ending | Gone> {
  const { link, out } = turn;
  const error = json && aboutOf(status) === 'request' ? await readFault(turn) : null;
  if (error) return error;
  if ((status === 404 || status === 400) && out.session !== null && out.session.id !== null) return gone;
  return noAnswer(link.failures.status(status));
}
