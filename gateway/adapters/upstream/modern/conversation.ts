import { randomUUID } from 'node:crypto';
import {
  type Answer,
  type AskReply,
  type Ending,
  type ExchangeEvent,
  type InputNeeded,
  isEnding,
  noAnswer,
  type StreamAnswer,
} from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { round, type Talk } from './round.ts';

/** As many as the official SDK's own bridge goes. */
const mostRounds = 8;
/** Between rounds in which the server only wanted to be asked again. */
const pauseMs = 250;

/**
 * For a caller of the era in which servers ask in the middle of a call: what a modern server needs is asked on the call's
 * stream, and the call begins anew with the answers and the exact state, until it is done.
 */
export async function* conversation(talk: Talk, first: Answer): StreamAnswer['events'] {
  let answer = first;
  try {
    for (let rounds = 1; ; rounds++) {
      let ending: Ending | null = null;
      for await (const event of eventsOf(answer)) {
        if (isEnding(event)) ending = event;
        else yield event;
      }
      if (ending?.kind !== 'input') {
        yield ending ?? noAnswer(talk.link.failures.lost('closed its stream before it had answered'));
        return;
      }
      if (rounds > mostRounds) {
        yield noAnswer(talk.link.failures.invalid(`asked more than ${mostRounds} times`));
        return;
      }
      const responses = yield* ask(talk, ending.input);
      if (isRefusal(responses)) {
        yield noAnswer(responses);
        return;
      }
      answer = await round(talk, { responses, state: ending.input.state });
    }
  } finally {
    talk.life.end();
  }
}

async function* eventsOf(answer: Answer): StreamAnswer['events'] {
  if (answer.kind === 'stream') yield* answer.events;
  else yield answer;
}

/** Asks everything that is needed, and waits for all of it. */
async function* ask(talk: Talk, { requests }: InputNeeded): AsyncGenerator<ExchangeEvent, JsonObject | Refusal> {
  const { life } = talk;
  const replies: Promise<readonly [string, AskReply]>[] = [];
  for (const [key, { method, params }] of Object.entries(requests)) {
    const { promise, resolve } = Promise.withResolvers<AskReply>();
    replies.push(promise.then((reply) => [key, reply]));
    life.askBegins();
    let open = true;
    const reply = (given: AskReply): void => {
      if (!open) return;
      open = false;
      life.askEnds();
      resolve(given);
    };
    yield { kind: 'ask', method, params: legacyParams(params), reply };
  }
  if (replies.length === 0) await life.sleep(pauseMs);
  const given = await life.race(Promise.all(replies));
  if (life.over) return life.over;
  return isRefusal(given) ? given : responsesOf(given);
}

/** URL mode of the older era names the elicitation; the newer one has no such thing (protocol.md C3). */
const legacyParams = (params: JsonObject): JsonObject =>
  params.mode === 'url' ? { ...params, elicitationId: randomUUID() } : params;

/** A modern server can only be told results: an error in the place of one ends the call. */
function responsesOf(replies: readonly (readonly [string, AskReply])[]): JsonObject | Refusal {
  const responses: JsonObject = {};
  for (const [key, reply] of replies) {
    if ('refusal' in reply) return reply.refusal;
    if ('error' in reply) return refuse('input_missing', 'The client did not answer.', { code: reply.error.code });
    responses[key] = reply.result;
  }
  return responses;
}
