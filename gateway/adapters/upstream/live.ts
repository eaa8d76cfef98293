import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Live } from '#gateway/ports.ts';
import { gatherDefinitions } from './definitions.ts';
import type { Link } from './link.ts';
import { Refused } from './refused.ts';

type Ask = (method: string, params: JsonObject) => Promise<JsonObject | Refusal>;

/** Everything that a server which said `told` lists, or why that is not to be had. */
export async function gatherLive(
  link: Link,
  ask: Ask,
  told: { readonly capabilities: JsonObject; readonly instructions: string | null },
): Promise<Live | Refusal> {
  const request = async (method: string, params: JsonObject): Promise<JsonObject> => {
    const result = await ask(method, params);
    if (isRefusal(result)) throw new Refused(result);
    return result;
  };
  try {
    return await gatherDefinitions(request, told.capabilities, told.instructions);
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    // A plain error is a sentence about the list; a TypeError and its like would be a fault of ours.
    if (error instanceof Error && error.name === 'Error') return link.failures.invalid(`has no list: ${error.message}`);
    throw error;
  }
}
