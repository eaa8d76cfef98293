import { Agent, type Dispatcher } from 'undici';
import { isTrouble, type Trouble } from './passes.ts';

export interface WireRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Milliseconds until the head of the answer, and between two parts of it. */
  readonly patience: number;
}

export interface Wire {
  /** @throws DOMException (AbortError) when the signal ended it. */
  send(request: WireRequest): Promise<Dispatcher.ResponseData | Trouble>;
  close(): Promise<void>;
}

/**
 * HTTP to the one URL of the gateway. Where that is, is asked when it is needed, and again when nobody answers there.
 * Redirects are not followed: a token goes where it was meant for.
 */
export function createWire(endpoint: () => Promise<string | Trouble>): Wire {
  const agent = new Agent({ connect: { timeout: 3_000 }, keepAliveTimeout: 30_000 });
  let known: string | null = null;
  return {
    async send({ method, headers, body, signal, patience }) {
      const url = known ?? (await endpoint());
      if (isTrouble(url)) return url;
      known = url;
      const { origin, pathname, search } = new URL(url);
      const times = { headersTimeout: patience, bodyTimeout: patience };
      const sent = body === undefined ? {} : { body };
      try {
        return await agent.request({ origin, path: pathname + search, method, headers, signal, ...times, ...sent });
      } catch (error) {
        signal.throwIfAborted();
        known = null;
        return troubleOf(error, url);
      }
    },
    close: () => agent.destroy(),
  };
}

/** No connection means that nothing happened; anything later may have happened. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

function troubleOf(error: unknown, url: string): Trouble {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (!neverSent.has(code)) return lost(code);
  const detail = `The gateway at ${url} cannot be reached (${code}). Is the gateway running? sekisho up`;
  return { trouble: 'gateway_unreachable', detail };
}

export const lost = (why: string): Trouble => ({
  trouble: 'gateway_lost',
  detail: `The gateway broke off (${why}). What was asked may or may not have been done: look before asking again.`,
});
