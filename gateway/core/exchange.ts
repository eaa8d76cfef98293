import type { JsonObject } from './json.ts';
import type { RpcError } from './message.ts';
import type { Refusal } from './refusals.ts';

/**
 * The one form that both protocol eras fold into (design.md §3.1). Phases never look at the era: the two codecs at the
 * client's edge and the two at the upstream's are the only code that knows there is more than one.
 */
export interface Client {
  /** The MCP revision this caller speaks, such as `2025-11-25`. */
  readonly revision: string;
  /** What the caller can be asked for (elicitation, sampling, roots). Declared per request, or sealed at `initialize`. */
  readonly capabilities: JsonObject;
  /** Self-reported name and version: for people who read records, never for a decision. */
  readonly info: { readonly name: string; readonly version: string };
  /** The least severe log level the caller wants, or null for none said. */
  readonly logLevel: string | null;
}

/**
 * The answer to a question, as the person or the host gave it; or why the server does not get it, and the call ends with
 * that instead.
 */
export type AskReply = { readonly result: JsonObject } | { readonly error: RpcError } | { readonly refusal: Refusal };

/** What the gateway answers where there is nobody who could be asked: its own words, and so nothing to judge. */
export const nobodyToAsk: AskReply = { error: { code: -32601, message: 'This client cannot be asked.' } };

/** The key of a question that its server gave none. */
export const onlyQuestion = 'question';

/** What may come before the end of a streamed answer. */
export type ExchangeEvent =
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'ask'; readonly method: string; readonly params: JsonObject; reply(reply: AskReply): void };

/**
 * What a server needs to be told before it goes on (basic/patterns/mrtr). Its part is over; the call begins anew with the
 * answers and, exactly as it was given, the state.
 */
export interface InputNeeded {
  /** By a key of the server's: `{ method, params }` of an elicitation, a sampling or a question for roots. */
  readonly requests: Readonly<Record<string, InputRequest>>;
  readonly state: string | null;
  /** Gives up what is held for the answer, where something is: the question will not reach the caller. */
  readonly drop?: () => void;
}

export interface InputRequest {
  readonly method: string;
  readonly params: JsonObject;
}

/** Questions that a server may ask at once, and so answers that may come back. */
export const mostInputs = 16;

/** What a call goes on with. */
export interface Resumed {
  readonly responses: JsonObject;
  readonly state: string | null;
}

/**
 * How an answer ends: with a complete result, with `input` that the server needs first, with a `task` that goes on, or without
 * any. `source` is its JSON
 * text as the upstream wrote it, checked when it was read; a codec that has nothing to edit passes it on as it came, so
 * numbers that a double cannot hold survive and nothing is written twice.
 */
export type Ending =
  | { readonly kind: 'result'; readonly result: JsonObject; readonly source: string | null }
  | { readonly kind: 'input'; readonly input: InputNeeded }
  | { readonly kind: 'task'; readonly task: JsonObject }
  | { readonly kind: 'error'; readonly error: RpcError }
  | { readonly kind: 'refusal'; readonly refusal: Refusal };

export interface StreamAnswer {
  readonly kind: 'stream';
  /** Ends with exactly one Ending. Leaving the loop early cancels the upstream. */
  readonly events: AsyncIterable<ExchangeEvent | Ending>;
}

export type Answer = Ending | StreamAnswer;

/** What an upstream did say, as against our own "no" in its place. */
export type Given = Exclude<Answer, { readonly kind: 'refusal' }>;

/** A result of our own making. */
export const resultOf = (result: JsonObject): Ending & { readonly kind: 'result' } => ({
  kind: 'result',
  result,
  source: null,
});

/** Our own "no" in the place of an answer. */
export const noAnswer = (refusal: Refusal): Ending & { readonly kind: 'refusal' } => ({ kind: 'refusal', refusal });

export const isEnding = (event: ExchangeEvent | Ending): event is Ending =>
  event.kind !== 'notification' && event.kind !== 'ask';

/** Requests that stand for themselves, or sessions. */
export type Era = 'legacy' | 'modern';

export const modernRevisions = ['2026-07-28'] as const;
/** Revisions are ISO dates, so their order is the order of their text (protocol.md C1). */
export const isModern = (revision: string): boolean => revision >= modernRevisions[0];

export const legacyRevisions = ['2025-11-25', '2025-06-18', '2025-03-26'] as const;
/** What a server of the older era may choose: it is not ours to say that it must not be older than our callers. */
export const upstreamRevisions = [...legacyRevisions, '2024-11-05'] as const;
/** The one revision whose clients may send several messages in one request, and servers must take them. */
export const batchRevision = '2025-03-26';
export const supportedRevisions: readonly string[] = [...modernRevisions, ...legacyRevisions];

/** The reserved `_meta` keys of a self-contained request (basic/index §_meta). */
export const metaKeys = {
  revision: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  info: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
} as const;
