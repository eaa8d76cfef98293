import { type InputRequest, mostInputs } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import { mayAsk } from '../capabilities.ts';
import type { Failures } from '../failures.ts';

/** What a modern result may be, and of whom. */
export interface Expected {
  readonly failures: Failures;
  readonly method: string;
  /** What the caller declared that it can be asked for. */
  readonly declared: JsonObject;
}

/** The questions of a server that needs to be told something, or what is wrong with them. */
export function requestsOf(
  { failures, declared }: Expected,
  asked: JsonValue | undefined,
): Record<string, InputRequest> | Refusal {
  if (asked === undefined) return {};
  if (!isJsonObject(asked)) return failures.invalid('gave "inputRequests" that are not an object');
  const entries = Object.entries(asked);
  if (entries.length > mostInputs) return failures.invalid(`asked more than ${mostInputs} questions at once`);
  const requests: Record<string, InputRequest> = {};
  for (const [key, request] of entries) {
    const { method, params = {} } = isJsonObject(request) ? request : {};
    if (typeof method !== 'string' || !isJsonObject(params)) return failures.invalid('asked what is no question');
    // Never what this caller did not say it can be asked (A6): the answer could not be brought, and it was not asked for.
    if (!mayAsk(declared, method, params)) return failures.invalid('asked for what the caller did not declare');
    requests[key] = { method, params };
  }
  return requests;
}
