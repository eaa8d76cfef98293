import { changedArguments, sendable } from '#gateway/core/argument-changes.ts';
import { type Answered, type Approved, learn } from '#gateway/core/call.ts';
import { type Allowed, type Ask, rejudged } from '#gateway/core/decision.ts';
import { type AskReply, type ExchangeEvent, onlyQuestion } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Obligations } from '#gateway/core/obligations.ts';
import type { Rates } from '#gateway/core/rates.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { type PermitPorts, permitted, unmet } from './permitted.ts';
import { limited } from './reserve.ts';

export interface ReplyPorts extends PermitPorts {
  readonly rates: Rates;
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
      const refusal = 'refusal' in given ? null : refusedReply(call, ports, shown(given));
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
  const decision = permitted({ ...call, responses }, call, ports);
  if (isRefusal(decision)) return decision;
  const permit = decision.verdict === 'allow' ? decision : agreedTo(call, decision);
  if (isRefusal(permit)) return permit;
  const { obligations } = permit;
  if (!sendable(responses, obligations)) return unmet('take out of the answer what must not be sent');
  if (tooLate(call, obligations)) return unmet('change a call that is under way');
  // What is still to come is held to both; the rest of what they oblige to is met already.
  if (obligations.unseen !== null) learn(call, { permit: rejudged(call.permit, permit) as Allowed });
  return limited({ ...call, permit }, ports.rates);
}

/** Nobody can wait for a person in the middle of a call: it goes on only for what this very call was agreed to for. */
function agreedTo({ decision, approval }: Approved, ask: Ask): Allowed | Refusal {
  const agreed = approval !== null && decision.verdict === 'ask' ? decision.codes : [];
  if (ask.codes.every((code) => agreed.includes(code))) return ask.granted;
  const why = 'These answers need an approval, which cannot be had in the middle of a call of this protocol revision.';
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
