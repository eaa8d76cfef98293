import { type Ending, noAnswer, resultOf } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { readTask } from '#gateway/core/tasks.ts';
import { type Expected, requestsOf } from './input-requests.ts';

/** The answer to a tool call that goes on as a task. */
export function begunTask({ failures }: Expected, said: JsonObject): Ending {
  const task = readTask(said);
  return task ? { kind: 'task', task } : noAnswer(failures.invalid('began what is no task'));
}

/** The answer to `tasks/get`: the task, and what its status brings along. */
export function taskState(expected: Expected, said: JsonObject): Ending {
  const task = readTask(said);
  if (!task) return noAnswer(expected.failures.invalid('answered with what is no task'));
  const brought = broughtBy(expected, String(task.status), said);
  return isRefusal(brought) ? noAnswer(brought) : resultOf({ ...task, ...brought });
}

function broughtBy(expected: Expected, status: string, said: JsonObject): JsonObject | Refusal {
  const { failures } = expected;
  if (status === 'input_required') {
    const requests = requestsOf(expected, said.inputRequests ?? {});
    return isRefusal(requests) ? requests : { inputRequests: requests as unknown as JsonObject };
  }
  if (status === 'completed') {
    const { result } = said;
    const { resultType = 'complete' } = isJsonObject(result) ? result : {};
    if (!isJsonObject(result) || resultType !== 'complete')
      return failures.invalid('completed a task without a result');
    return { result: { ...result, resultType } };
  }
  if (status !== 'failed') return {};
  const { error } = said;
  const whole = isJsonObject(error) && Number.isSafeInteger(error.code) && typeof error.message === 'string';
  return whole ? { error } : failures.invalid('failed a task without an error');
}
