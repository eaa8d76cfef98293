import type { ExchangeEvent } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { MessageId } from '#gateway/core/message.ts';
import type { UpstreamNotice } from '#gateway/ports.ts';

const changes: Readonly<Record<string, UpstreamNotice>> = {
  'notifications/tools/list_changed': { kind: 'changed', what: 'tools' },
  'notifications/prompts/list_changed': { kind: 'changed', what: 'prompts' },
  'notifications/resources/list_changed': { kind: 'changed', what: 'resources' },
};

/** What a notification tells the gateway itself, or null. Callers hear of changes from the gateway, not from servers. */
export function noticeOf(method: string, params: JsonObject): UpstreamNotice | null {
  if (method === 'notifications/resources/updated') {
    return typeof params.uri === 'string' ? { kind: 'updated', uri: params.uri } : null;
  }
  return (Object.hasOwn(changes, method) && changes[method]) || null;
}

const relayed = new Set(['notifications/message', 'notifications/elicitation/complete']);

/**
 * What the caller reads of a notification on its call's stream, or null: a method that is not known is not passed on.
 * Progress goes by our token on the server's side (`ours`) and by the caller's on the other; any other token is not about
 * this call.
 */
export function relay(
  method: string,
  params: JsonObject,
  ours: number,
  callers: MessageId | null,
): Extract<ExchangeEvent, { kind: 'notification' }> | null {
  if (relayed.has(method)) return { kind: 'notification', method, params };
  if (method !== 'notifications/progress' || callers === null) return null;
  const token = params.progressToken;
  if (token !== ours && token !== String(ours)) return null;
  return { kind: 'notification', method, params: { ...params, progressToken: callers } };
}
