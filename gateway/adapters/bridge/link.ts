import type { Dispatcher } from 'undici';
import { finish } from './answer.ts';
import { isTrouble, type Passes, type Trouble } from './passes.ts';
import type { Wire } from './wire.ts';

export type Answer = Dispatcher.ResponseData;

export interface LinkRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Requests to the gateway with the token of this run. */
export type Link = (request: LinkRequest) => Promise<Answer | Trouble>;

/** The gateway ends a call long before this; it is for a gateway that is stuck. */
const patience = 15 * 60_000;

export function createLink(wire: Wire, passes: Passes): Link {
  return async ({ method, headers = {}, body, signal }) => {
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    const accept = method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream';
    for (let attempt = 1; ; attempt++) {
      const pass = await passes.get();
      if (isTrouble(pass)) return pass;
      const all = { ...headers, ...content, accept, authorization: `Bearer ${pass.token}` };
      const answer = await wire.send({
        method,
        headers: all,
        signal,
        patience,
        ...(body === undefined ? {} : { body }),
      });
      // 401 says that nothing was done: with a fresh token it may be asked again, once.
      if (isTrouble(answer) || answer.statusCode !== 401 || attempt > 1) return answer;
      passes.reject(pass);
      await finish(answer);
    }
  };
}
