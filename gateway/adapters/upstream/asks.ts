import type { AskReply, ExchangeEvent } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Request } from '#gateway/core/message.ts';
import { isQuestion, mayAsk } from './capabilities.ts';
import type { Link, SessionMark } from './link.ts';
import { tell } from './tell.ts';
import type { Turn } from './turn.ts';

type Ask = Extract<ExchangeEvent, { kind: 'ask' }>;
type Given = Exclude<AskReply, { readonly refusal: unknown }>;

const unknownMethod = { error: { code: -32601, message: 'Method not found' } };

/** Answers a server's request that no caller gets to see: a ping, or something that was not declared. */
export function answerOurselves(link: Link, mark: SessionMark | null, { id, method }: Request): Promise<unknown> {
  return tell(link, mark, method === 'ping' ? { id, result: {} } : { id, ...unknownMethod });
}

/** A server's request in the middle of a call: a question for the caller, or null when it was answered here. */
export async function answerAsk(turn: Turn, request: Request): Promise<Ask | null> {
  const { link, out } = turn;
  const { id, method, params } = request;
  if (!mayAsk(out.declared, method, params) && !(out.everyQuestion && isQuestion(method))) {
    // Waited for, so that a flood of questions is answered no faster than it is read.
    await answerOurselves(link, out.session, request);
    return null;
  }
  let open = true;
  out.life.askBegins();
  const reply = (given: AskReply): void => {
    if (!open) return;
    open = false;
    out.life.askEnds();
    if (turn.over) return;
    if ('refusal' in given) turn.exchange.abort(given.refusal);
    else link.behind(send(turn, id, given));
  };
  return { kind: 'ask', method, params, reply };
}

/** A reply that the server does not take leaves it waiting for ever, so it ends the call. */
async function send(turn: Turn, id: Request['id'], given: Given): Promise<void> {
  const { link, out, exchange } = turn;
  const body: JsonObject = 'result' in given ? { id, result: given.result } : { id, error: { ...given.error } };
  const refusal = await tell(link, out.session, body);
  if (refusal && !turn.over) exchange.abort(refusal);
}
