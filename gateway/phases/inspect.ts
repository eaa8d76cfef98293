import { type Answered, type Inspected, learn } from '#gateway/core/call.ts';
import {
  type Answer,
  type Ending,
  type ExchangeEvent,
  type Given,
  type InputNeeded,
  isEnding,
  noAnswer,
  resultOf,
} from '#gateway/core/exchange.ts';
import { mayBeSkill } from '#gateway/core/extensions.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import type { Redaction } from '#gateway/core/obligations.ts';
import { withoutOurWords } from '#gateway/core/own-words.ts';
import { seenEnding, seenEvent, seenResult } from '#gateway/core/redacted-answer.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { type Box, sealState } from '#gateway/core/request-state.ts';
import { type Contract, describeMisfit } from '#gateway/core/schema/contract.ts';
import { sealTask } from '#gateway/core/tasks.ts';
import type { Approvals } from '#gateway/ports.ts';
import { asked, type ReplyPorts, refusedAsking, refusedQuestion } from './questions.ts';
import { unseenOf } from './result.ts';

interface Ports extends ReplyPorts {
  readonly box: Box;
  readonly approvals: Pick<Approvals, 'hold'>;
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
    const refused = event.kind === 'ask' ? refusedQuestion(call, event, ports) : null;
    if (refused) return yield noAnswer(refused);
    const { unseen } = call.permit.obligations;
    const seen = isEnding(event) ? checkEnding(call, ports, event) : unseen ? seenEvent(event, unseen) : event;
    const said = seen.kind === 'ask' ? asked(call, ports, seen) : seen;
    yield said;
    if (isEnding(said)) return;
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
  const said = checked(call, ports, ending);
  // A call must not be held for the answer to a question that its caller never sees.
  if (ending.kind === 'input' && said.kind !== 'input') ending.input.drop?.();
  return said;
}

function checked(call: Answered, ports: Ports, ending: Ending): Ending {
  const refused = refusedQuestions(call, ports, ending);
  if (refused) return noAnswer(refused);
  // Only now: what the policy said of a question may have brought along what must not be seen.
  const unseen = unseenOf(call, ports, ending);
  if (isRefusal(unseen)) return noAnswer(unseen);
  if (ending.kind === 'result') {
    const { method } = call;
    return method === 'tasks/get'
      ? checkTask(call, ending.result, unseen)
      : checkResult(call, ending, { method, unseen });
  }
  const said = unseen ? seenEnding(ending, unseen) : ending;
  if (said.kind === 'task') return { kind: 'task', task: ownTask(call, ports, said.task) };
  return said.kind === 'input' ? sealed(call, ports, said) : said;
}

/** What the server needs to be told, in its answer or in the task that is looked at. */
function refusedQuestions(call: Answered, ports: Ports, ending: Ending): Refusal | null {
  if (ending.kind !== 'result') return refusedAsking(call, ending, ports);
  if (call.method !== 'tasks/get') return null;
  // As the adapter read them.
  const requests = (ending.result.inputRequests ?? {}) as unknown as InputNeeded['requests'];
  return refusedAsking(call, { kind: 'input', input: { requests, state: null } }, ports);
}

interface Bound {
  /** What it is the result of. */
  readonly method: string;
  readonly unseen: Redaction | null;
}

function checkResult(call: Answered, ending: Ending & { kind: 'result' }, { method, unseen }: Bound): Ending {
  const result = withoutOurWords(ending.result);
  const fits = method in members ? members[method as keyof typeof members] : null;
  const output = bound(call, result, method);
  const detail = fits && !fits(result) ? `The result is not one of ${method}.` : broken(output, result);
  if (detail !== null) return { kind: 'refusal', refusal: refuse('answer_invalid', detail) };
  if (!unseen) return result === ending.result ? ending : resultOf(result);
  const clean = seenResult(result, unseen, output);
  return method === 'resources/read' && mayBeSkill(call.target) ? asItIs(ending, clean) : clean;
}

/** What has to arrive as it is goes back as it came, or not at all. */
function asItIs(ending: Ending & { kind: 'result' }, clean: Ending): Ending {
  if (clean.kind !== 'result') return clean;
  if (JSON.stringify(clean.result) === JSON.stringify(ending.result)) return ending;
  const why = 'It may be a file of a skill, which is given as it is or not at all, and it holds what must not be seen.';
  return { kind: 'refusal', refusal: refuse('answer_blocked', why) };
}

/** The task under the id that its caller knows; what its call came to is held to what any result of that tool is. */
function checkTask(
  call: Answered,
  { result: inner, taskId: _, ...rest }: JsonObject,
  unseen: Redaction | null,
): Ending {
  const said = unseen ? seenEnding({ kind: 'task', task: rest }, unseen) : ({ kind: 'task', task: rest } as const);
  if (said.kind !== 'task') return said;
  const task = { ...said.task, taskId: call.params.taskId };
  if (!isJsonObject(inner)) return resultOf(task);
  const checked = checkResult(call, resultOf(inner), { method: 'tools/call', unseen });
  return checked.kind === 'result' ? resultOf({ ...task, result: checked.result }) : checked;
}

/** A task that has just begun, under an id of ours. */
const ownTask = (call: Answered, { box }: Ports, task: JsonObject): JsonObject => ({
  ...task,
  taskId: sealTask(box, call, String(task.taskId)),
});

/**
 * The output schema that a result is bound by. An error is bound by none. A `resultType` frees of nothing: what a modern
 * server meant by it is no result any more, and a legacy server means nothing by it.
 */
const bound = ({ target }: Answered, result: JsonObject, method: string): Contract['output'] =>
  method === 'tools/call' && result.isError !== true ? target.contract.output : null;

/** How a tool's result breaks the contract of its approved output schema, or null. */
function broken(output: Contract['output'], result: JsonObject): string | null {
  if (output === null) return null;
  const { structuredContent } = result;
  if (structuredContent === undefined) return 'The result lacks "structuredContent", which its schema describes.';
  const misfit = output(structuredContent);
  return misfit && describeMisfit('structuredContent', misfit);
}

/**
 * A server's state leaves in our seal, and with it the approval of the call, if it needed one: a person who agreed is not
 * asked again because the server had a question.
 */
function sealed(call: Answered, { box, hashing, approvals }: Ports, ending: Ending & { kind: 'input' }): Ending {
  const { requests, state } = ending.input;
  const { approval } = call;
  if (state === null && approval === null) return ending;
  if (approval) approvals.hold(approval.id, call.call, approval.until);
  return { kind: 'input', input: { requests, state: sealState(box, call, hashing.sha256, state) } };
}
