import { type Answered, type Inspected, learn } from '#gateway/core/call.ts';
import { type Answer, type Ending, type ExchangeEvent, type Given, isEnding } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { type Box, sealState } from '#gateway/core/request-state.ts';
import { describeMisfit } from '#gateway/core/schema/contract.ts';
import type { Hashing } from '#gateway/ports.ts';

interface Ports {
  readonly box: Box;
  readonly hashing: Hashing;
}

/** May this answer go back: message by message. Its size was counted as its bytes arrived. */
export function inspect(call: Answered, ports: Ports): Inspected | Refusal {
  const answer = inspected(call, ports, call.answer);
  return answer.kind === 'refusal' ? answer.refusal : learn(call, { answer, inspected: true as const });
}

function inspected(call: Answered, ports: Ports, answer: Given): Answer {
  if (answer.kind === 'stream') return { kind: 'stream', events: inspectedEvents(call, ports, answer.events) };
  return checkEnding(call, ports, answer);
}

async function* inspectedEvents(
  call: Answered,
  ports: Ports,
  events: AsyncIterable<ExchangeEvent | Ending>,
): AsyncGenerator<ExchangeEvent | Ending> {
  for await (const event of events) {
    if (event.kind === 'notification' && !relayed.has(event.method)) continue;
    yield isEnding(event) ? checkEnding(call, ports, event) : event;
  }
}

/** What may reach a caller inside the stream of its call. The rest is about sessions, and has its own road. */
const relayed: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/message',
  'notifications/resources/updated',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
]);

/** The least that a result of this method must be. */
const members = {
  'tools/call': (result: JsonObject) => result.content === undefined || Array.isArray(result.content),
  'resources/read': (result: JsonObject) => Array.isArray(result.contents),
  'prompts/get': (result: JsonObject) => Array.isArray(result.messages),
  'completion/complete': (result: JsonObject) => isJsonObject(result.completion),
} as const;

function checkEnding(call: Answered, ports: Ports, ending: Ending): Ending {
  if (ending.kind === 'input') return sealed(call, ports, ending);
  if (ending.kind !== 'result') return ending;
  const fits = call.method in members ? members[call.method as keyof typeof members] : null;
  const detail =
    fits && !fits(ending.result) ? `The result is not one of ${call.method}.` : broken(call, ending.result);
  return detail === null ? ending : { kind: 'refusal', refusal: refuse('answer_invalid', detail) };
}

/**
 * How a tool's result breaks the contract of its approved output schema, or null. An error is bound by none. A `resultType`
 * frees of nothing: what a modern server meant by it is no result any more, and a legacy server means nothing by it.
 */
function broken({ method, target }: Answered, result: JsonObject): string | null {
  const { output } = target.contract;
  if (output === null || method !== 'tools/call' || result.isError === true) return null;
  const { structuredContent } = result;
  if (structuredContent === undefined) return 'The result lacks "structuredContent", which its schema describes.';
  const misfit = output(structuredContent);
  return misfit && describeMisfit('structuredContent', misfit);
}

/** A server's state leaves in our seal. */
function sealed(call: Answered, { box, hashing }: Ports, ending: Ending & { kind: 'input' }): Ending {
  const { requests, state } = ending.input;
  return state === null
    ? ending
    : { kind: 'input', input: { requests, state: sealState(box, call, hashing.sha256, state) } };
}
