import { changedArguments, sendable } from '#gateway/core/argument-changes.ts';
import { type Answered, type Approved, learn } from '#gateway/core/call.ts';
import { type Allowed, type Ask, rejudged } from '#gateway/core/decision.ts';
import { errorCodes } from '#gateway/core/error-codes.ts';
import {
  type AskReply,
  type Ending,
  type ExchangeEvent,
  type InputRequest,
  nobodyToAsk,
  onlyQuestion,
} from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Obligations } from '#gateway/core/obligations.ts';
import type { Rates } from '#gateway/core/rates.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { pagesOf, type ServerQuestion, serverQuestion } from '#gateway/core/server-question.ts';
import type { Taints } from '#gateway/ports.ts';
import { type PermitPorts, permitted, unmet } from './permitted.ts';
import { unremembered } from './remembered.ts';
import { limited } from './reserve.ts';

export interface ReplyPorts extends PermitPorts {
  readonly rates: Rates;
  readonly taints: Taints;
}

type Question = Extract<ExchangeEvent, { kind: 'ask' }>;

/**
 * A question on the stream of a call, whose answer the policy sees before the server does: as it sees what a caller comes
 * back with in another request (decisions/0021). What it denies ends the call.
 */
export function asked(call: Answered, ports: ReplyPorts, question: Question): Question {
  const reply = (given: AskReply): void => {
    let judged: AskReply = { refusal: refuse('fault') };
    // Also where judging breaks the server must not get the answer, nor the call wait for one.
    try {
      const isOurs = given === nobodyToAsk || 'refusal' in given;
      const refusal = isOurs ? null : refusedReply(call, ports, shown(given));
      judged = refusal ? { refusal } : given;
    } finally {
      question.reply(judged);
    }
  };
  return { ...question, reply };
}

/** An error carries words of the caller, too. */
const shown = (given: Exclude<AskReply, { readonly refusal: Refusal }>): JsonObject => ({
  [onlyQuestion]: 'result' in given ? given.result : { error: { ...given.error } },
});

function refusedReply(call: Answered, ports: ReplyPorts, responses: JsonObject): Refusal | null {
  const permit = permittedBeside({ ...call, responses }, { question: null }, ports);
  if (isRefusal(permit)) return permit;
  if (!sendable(responses, permit.obligations)) return unmet('take out of the answer what must not be sent');
  hold(call, permit);
  return limited({ ...call, permit }, ports.rates);
}

/** Our "no" to what a server asks of the caller in the middle of a call, or null when it may be asked. */
export function refusedQuestion(call: Answered, { method, params }: InputRequest, ports: ReplyPorts): Refusal | null {
  const question = serverQuestion(method, params);
  if (question === null) return null;
  const permit = permittedBeside(call, { question }, ports);
  if (isRefusal(permit)) return permit;
  hold(call, permit);
  return null;
}

/** The same of what an answer ends with that asks something of the caller, in either era. */
export function refusedAsking(call: Answered, ending: Ending, ports: ReplyPorts): Refusal | null {
  const requests = asking(ending);
  if (requests === null) return refuse('answer_invalid', 'It sends a person to pages that cannot be read.');
  for (const request of requests) {
    const refused = refusedQuestion(call, request, ports);
    if (refused) return refused;
  }
  return null;
}

/** The questions of an ending; null where it asks in a way that nobody can read. */
function asking(ending: Ending): readonly InputRequest[] | null {
  if (ending.kind === 'input') return Object.values(ending.input.requests);
  return ending.kind === 'error' && ending.error.code === errorCodes.urlNeeded ? pagesOf(ending.error.data) : [];
}

/** What the policy says in the middle of a call, where the call can go on with that. */
function permittedBeside(
  call: Answered,
  { question }: { readonly question: ServerQuestion | null },
  ports: ReplyPorts,
): Allowed | Refusal {
  const { args, facts } = call;
  const decision = permitted(call, { args, facts, question }, ports);
  if (isRefusal(decision)) return decision;
  const permit = decision.verdict === 'allow' ? decision : agreedTo(call, decision);
  if (isRefusal(permit)) return permit;
  if (tooLate(call, permit.obligations)) return unmet('change a call that is under way');
  return unremembered(call, permit, ports.taints) ?? permit;
}

/** What is still to come is held to both; the rest of what they oblige to is met already. */
function hold(call: Answered, permit: Allowed): void {
  const [now, held] = [permit.obligations.unseen, call.permit.obligations.unseen];
  // A server may ask for as long as it likes: what says the same again is not added.
  const isNew =
    now?.kinds.some((kind) => !held?.kinds.includes(kind)) || now?.pointers.some((at) => !held?.pointers.includes(at));
  if (isNew) learn(call, { permit: rejudged(call.permit, permit) as Allowed });
}

/** Nobody can wait for a person in the middle of a call: it goes on only for what this very call was agreed to for. */
function agreedTo({ decision, approval }: Approved, ask: Ask): Allowed | Refusal {
  const agreed = approval !== null && decision.verdict === 'ask' ? decision.codes : [];
  if (ask.codes.every((code) => agreed.includes(code))) return ask.granted;
  const why = 'It needs an approval, which cannot be had in the middle of a call.';
  return refuse('policy_denied', `${ask.messages.join(' ')} ${why}`, { codes: ask.codes });
}

/** Is there something that would have had to be known when the call was sent? */
function tooLate({ args, permit }: Approved, { answerBytes, timeoutMs, ...rest }: Obligations): boolean {
  const first = permit.obligations;
  const narrows = (now: number | null, before: number | null): boolean =>
    now !== null && (before === null || now < before);
  if (narrows(answerBytes, first.answerBytes) || narrows(timeoutMs, first.timeoutMs)) return true;
  return changedArguments(args, { answerBytes, timeoutMs, ...rest }) !== args;
}
