import type { JsonObject } from '#gateway/core/json.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Live } from '#gateway/ports.ts';
import type { Clock } from './clock.ts';
import { gatherDefinitions } from './definitions.ts';
import { disbelief } from './own-question.ts';
import { invalid } from './stdio-refusals.ts';
import { type Hello, ownAnswerBytes, type Session } from './stdio-session.ts';

export interface LiveOptions {
  readonly server: string;
  readonly clock: Clock;
  /** All lists together, at most: a server with endless pages must end somewhere. */
  readonly listsMs: number;
}

/** Asks one child for everything it lists. */
export async function gatherLive(session: Session, hello: Hello, options: LiveOptions): Promise<Live | Refusal> {
  const { server, clock, listsMs } = options;
  const until = clock.now() + listsMs;
  let refusal: Refusal | null = null;
  const request = async (method: string, params: JsonObject): Promise<JsonObject> => {
    const timeout = Math.max(1, until - clock.now());
    const limits = { answerBytes: ownAnswerBytes, firstByte: timeout, timeout, waited: 0 };
    const answer = await session.ask({ method, params, ...limits, signal: null });
    if (answer.kind === 'result') {
      const flaw = disbelief(answer.source);
      if (flaw !== null) throw new Error(`it answered ${method} with JSON that ${flaw}`);
      return answer.result;
    }
    if (answer.kind === 'refusal') refusal = answer.refusal;
    const code = answer.kind === 'error' ? answer.error.code : undefined;
    throw Object.assign(new Error(`it answered ${method} with error ${code}`), { code });
  };
  try {
    return await gatherDefinitions(request, hello.capabilities, hello.instructions);
  } catch (error) {
    return refusal ?? invalid(server, error instanceof Error ? error.message : 'it cannot be read');
  }
}
