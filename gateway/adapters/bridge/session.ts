import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { finish, isAnswerTo, messagesOf } from './answer.ts';
import type { Incoming } from './incoming.ts';
import type { Answer, Link } from './link.ts';
import { isTrouble, type Trouble } from './passes.ts';

/** The session of a host that initializes; opened again by us when the gateway has lost it. */
export interface Session {
  /** The host initializes: from now on this is how the session is opened. */
  begin(opening: Incoming): void;
  /** The gateway agreed. */
  opened(answer: Answer, result: JsonObject): void;
  /** The headers of every message in the session. */
  headers(): Record<string, string>;
  /** A session was opened and is gone, or could not be opened yet. */
  isOpen(): boolean;
  readonly generation: number;
  /** Opens the session again, unless that was done since `generation`. Null when it is open. */
  reopen(generation: number): Promise<Trouble | null>;
  /** Tells the gateway that the session is over. */
  end(signal: AbortSignal): Promise<void>;
}

export function createSession(link: Link, signal: AbortSignal, reopened: () => void): Session {
  let opening: Incoming | null = null;
  let id: string | null = null;
  let revision: string | null = null;
  let open = false;
  let generation = 0;
  let attempts = 0;
  let reopening: Promise<Trouble | null> | null = null;

  function headers(): Record<string, string> {
    return { ...(id ? { 'mcp-session-id': id } : {}), ...(revision ? { 'mcp-protocol-version': revision } : {}) };
  }

  function opened(answer: Answer, result: JsonObject): void {
    const given = answer.headers['mcp-session-id'];
    id = typeof given === 'string' ? given : null;
    revision = typeof result.protocolVersion === 'string' ? result.protocolVersion : null;
    open = true;
    generation++;
  }

  async function openAgain(first: Incoming): Promise<Trouble | null> {
    const ownId = `sekisho-bridge-${++attempts}`;
    const body = JSON.stringify({ ...JSON.parse(first.line), id: ownId });
    const answer = await link({ method: 'POST', body, signal });
    if (isTrouble(answer)) return answer;
    const result = await resultOf(answer, ownId);
    if (!result) return refused(answer.statusCode);
    opened(answer, result);
    const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const noted = await link({ method: 'POST', body: note, headers: headers(), signal });
    if (isTrouble(noted)) return noted;
    await finish(noted);
    reopened();
    return null;
  }

  return {
    begin(message) {
      opening = message;
      open = false;
      id = null;
      revision = null;
    },
    opened,
    headers,
    isOpen: () => open || opening === null,
    get generation() {
      return generation;
    },
    async reopen(since) {
      if (!opening || (open && generation !== since)) return null;
      reopening ??= openAgain(opening).finally(() => {
        reopening = null;
      });
      return reopening;
    },
    async end(until) {
      if (id === null) return;
      const answer = await link({ method: 'DELETE', headers: headers(), signal: until });
      if (!isTrouble(answer)) await finish(answer);
    },
  };
}

async function resultOf(answer: Answer, id: string): Promise<JsonObject | null> {
  let result: JsonObject | null = null;
  for await (const { message } of messagesOf(answer)) {
    if (isAnswerTo(message, id) && isJsonObject(message?.result)) result = message.result;
  }
  return answer.statusCode === 200 ? result : null;
}

const refused = (status: number): Trouble => ({
  trouble: 'gateway_unreachable',
  detail: `The gateway lost the session and does not open it again (HTTP ${status}). Restart this connection.`,
});
