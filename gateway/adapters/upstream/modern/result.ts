import { errorCodes } from '#gateway/core/error-codes.ts';
import { type Ending, noAnswer, resultOf } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { declaresTasks } from '#gateway/core/tasks.ts';
import { topMembers } from '../envelope.ts';
import { type Expected, requestsOf } from './input-requests.ts';
import { begunTask, taskState } from './task.ts';

/** Methods in which a server may ask for something first (basic/patterns/mrtr). */
const asking: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Members that belong to the wire of this era; the codec of the caller's era writes its own. */
const ofTheWire: readonly string[] = ['resultType', 'ttlMs', 'cacheScope'];

/** The end of an answer as a modern server wrote it → the canonical one. An unknown kind of result is none. */
export function canonical(expected: Expected, ending: Ending): Ending {
  if (ending.kind === 'error') return errorEnding(expected, ending);
  if (ending.kind !== 'result') return ending;
  const { resultType = 'complete' } = ending.result;
  if (resultType === 'complete') return wholeOf(expected, ending);
  if (resultType === 'task' && expected.method === 'tools/call' && declaresTasks(expected.declared))
    return begunTask(expected, ending.result);
  if (resultType === 'input_required' && asking.has(expected.method)) return inputOf(expected, ending.result);
  return noAnswer(expected.failures.invalid('answered with a kind of result that was not to be expected'));
}

/** Codes about this hop: a caller would take them for its own headers and revision. */
const ofOurHop: ReadonlySet<number> = new Set([errorCodes.headerMismatch, errorCodes.versionUnsupported]);

function errorEnding({ failures }: Expected, ending: Ending & { kind: 'error' }): Ending {
  const { code } = ending.error;
  return ofOurHop.has(code) ? noAnswer(failures.invalid(`did not take the request (error ${code})`, { code })) : ending;
}

function wholeOf(expected: Expected, ending: Ending & { kind: 'result' }): Ending {
  if (expected.method === 'tasks/get') return taskState(expected, ending.result);
  // Nothing but that it was heard (SEP-2663).
  if (expected.method.startsWith('tasks/')) return resultOf({});
  return withoutWire(ending);
}

function withoutWire(ending: Ending & { kind: 'result' }): Ending {
  const { result, source } = ending;
  if (!ofTheWire.some((name) => Object.hasOwn(result, name))) return ending;
  const { resultType: _, ttlMs: __, cacheScope: ___, ...rest } = result;
  return { kind: 'result', result: rest, source: source === null ? null : sourceWithout(source, ofTheWire) };
}

/** The text of the object without these members, everything else as it was written. */
function sourceWithout(source: string, names: readonly string[]): string | null {
  const kept = topMembers(source)?.filter(({ name }) => !names.includes(name));
  return kept
    ? `{${kept.map(({ name, from, to }) => `${JSON.stringify(name)}:${source.slice(from, to)}`).join(',')}}`
    : null;
}

function inputOf(expected: Expected, { inputRequests, requestState }: JsonObject): Ending {
  const { failures } = expected;
  if (inputRequests === undefined && requestState === undefined) return noAnswer(failures.invalid('asked for nothing'));
  if (requestState !== undefined && typeof requestState !== 'string') {
    return noAnswer(failures.invalid('gave a "requestState" that is not a string'));
  }
  const requests = requestsOf(expected, inputRequests);
  if (isRefusal(requests)) return noAnswer(requests);
  return { kind: 'input', input: { requests, state: requestState ?? null } };
}
