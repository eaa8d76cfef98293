import { errorCodes } from '#gateway/core/error-codes.ts';
import {
  type Answer,
  type Ending,
  type InputRequest,
  isEnding,
  isModern,
  type StreamAnswer,
} from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import type { Upstream, UpstreamCall } from '#gateway/ports.ts';
import { knownParts, mayAsk, undeclared } from './capabilities.ts';

const mostPages = 16;

/** In front of a server of the older era: what it says with an error is input that a modern caller comes back from. */
export function withUrlElicitation(upstream: Upstream): Upstream {
  return {
    ...upstream,
    send: (call) => (isModern(call.client.revision) ? sendModern(upstream, call) : upstream.send(call)),
  };
}

async function sendModern(upstream: Upstream, call: UpstreamCall): Promise<Answer> {
  const answer = await upstream.send(call);
  return answer.kind === 'stream'
    ? { kind: 'stream', events: translated(call, answer.events) }
    : endingOf(call, answer);
}

async function* translated(call: UpstreamCall, events: StreamAnswer['events']): StreamAnswer['events'] {
  for await (const event of events) yield isEnding(event) ? endingOf(call, event) : event;
}

function endingOf(call: UpstreamCall, ending: Exclude<Answer, StreamAnswer>): Ending {
  if (ending.kind !== 'error' || ending.error.code !== errorCodes.urlNeeded) return ending;
  const requests = requestsOf(ending.error.data);
  if (Object.keys(requests).length === 0)
    return { kind: 'error', error: { ...ending.error, code: errorCodes.internal } };
  const [method, params] = ['elicitation/create', { mode: 'url' }] as const;
  if (mayAsk(knownParts(call.client), method, params)) return { kind: 'input', input: { requests, state: null } };
  return undeclared(method, params, 'The server needs the person to open a page first.');
}

function requestsOf(data: unknown): Record<string, InputRequest> {
  const pages = isJsonObject(data) && Array.isArray(data.elicitations) ? data.elicitations.slice(0, mostPages) : [];
  const requests: Record<string, InputRequest> = {};
  for (const page of pages) {
    if (!isJsonObject(page) || typeof page.url !== 'string') continue;
    const { elicitationId: _, ...params }: JsonObject = page;
    requests[`page${Object.keys(requests).length + 1}`] = {
      method: 'elicitation/create',
      params: { ...params, mode: 'url' },
    };
  }
  return requests;
}
