import { isUtf8 } from 'node:buffer';
import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { isMessageId } from '#gateway/core/message.ts';
import type { UpstreamNotice } from '#gateway/ports.ts';
import { readEnvelope } from './envelope.ts';
import type { LineWriter } from './line-writer.ts';
import type { Oddities } from './oddities.ts';
import type { Calls } from './stdio-calls.ts';

export interface Inbox {
  readonly calls: Calls;
  readonly writer: LineWriter;
  readonly oddities: Oddities;
  notify(notice: UpstreamNotice): void;
  /** The revision of the handshake, or null before it. */
  revision(): string | null;
}

const changes: Readonly<Record<string, 'tools' | 'prompts' | 'resources'>> = {
  'notifications/tools/list_changed': 'tools',
  'notifications/prompts/list_changed': 'prompts',
  'notifications/resources/list_changed': 'resources',
};

/** What the child prints, line by line. Most lines are answers, so that is tried first and parses them once. */
export function readLine(inbox: Inbox, line: Buffer): void {
  if (line.length === 0 || (line.length === 1 && line[0] === 13)) return;
  const text = line.toString('utf8');
  const envelope = isUtf8(line) ? readEnvelope(text) : { flaw: 'it is not UTF-8' };
  if (!('flaw' in envelope)) inbox.calls.answered(envelope, line.length);
  else readOther(inbox, text, { flaw: envelope.flaw, bytes: line.length });
}

interface Read {
  /** Why it is not an answer. */
  readonly flaw: string;
  readonly bytes: number;
}

function readOther(inbox: Inbox, text: string, { flaw, bytes }: Read): void {
  const { oddities } = inbox;
  const value = parse(text);
  if (value === undefined) oddities.count('notJson');
  // Only 2025-03-26 has batches, and there they must be understood.
  else if (Array.isArray(value) && inbox.revision() === '2025-03-26') {
    for (const one of value) if (isJsonObject(one)) readLine(inbox, Buffer.from(JSON.stringify(one)));
  } else if (!isJsonObject(value)) oddities.count('notMessage');
  else if (typeof value.method === 'string') {
    if (value.id !== undefined) questioned(inbox, value.method, value.id);
    else notified(inbox, value.method, isJsonObject(value.params) ? value.params : {}, bytes);
  } else if (!inbox.calls.flawed(value.id, flaw)) oddities.count('notMessage');
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Nobody can be asked: the child serves all callers, so a question of it belongs to none of them (protocol.md C4). */
function questioned({ writer, oddities }: Inbox, method: string, id: JsonValue): void {
  const error = { code: -32601, message: 'This client can be asked nothing.' };
  const reply = method === 'ping' ? { jsonrpc: '2.0', id, result: {} } : { jsonrpc: '2.0', id, error };
  oddities.count(method === 'ping' ? 'ping' : 'question');
  if (!isMessageId(id)) oddities.count('notMessage');
  else if (writer.send(JSON.stringify(reply)) === null) oddities.count('deaf');
}

function notified({ calls, oddities, notify }: Inbox, method: string, params: JsonObject, bytes: number): void {
  const what = Object.hasOwn(changes, method) ? changes[method] : undefined;
  if (what) notify({ kind: 'changed', what });
  else if (method === 'notifications/progress') calls.progress(params, bytes);
  else if (method === 'notifications/resources/updated' && typeof params.uri === 'string') {
    notify({ kind: 'updated', uri: params.uri });
  } else oddities.count(method === 'notifications/message' ? 'logMessage' : 'unknownNotification');
}
