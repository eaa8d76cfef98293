import { encodeSentinel, mirroredName } from '#gateway/core/header-mirrors.ts';
import { isFlaw, isJsonObject, parseStrict } from '#gateway/core/json.ts';
import { isMalformed, type Message, type MessageId, readMessage } from '#gateway/core/message.ts';

/** A message of the host. The gateway gets the line as it came. */
export interface Incoming {
  readonly line: string;
  readonly message: Message;
}

export interface Unreadable {
  readonly code: number;
  readonly message: string;
  readonly id: MessageId | null;
}

export const isUnreadable = (value: Incoming | Unreadable): value is Unreadable => 'code' in value;

const deepest = 128;

export function readIncoming(line: string | null): Incoming | Unreadable {
  if (line === null) return { code: -32600, message: 'The message is too long.', id: null };
  const parsed = parseStrict(line, deepest);
  if (isFlaw(parsed)) return { code: -32700, message: `The message ${parsed.flaw}.`, id: null };
  const message = readMessage(parsed.value);
  if (isMalformed(message)) return { code: -32600, message: `${message.malformed}.`, id: message.id };
  return { line, message };
}

/** The revision of a self-contained message (2026-07-28 and later), or null for one that needs a session. */
export function ownRevision(message: Message): string | null {
  if (message.kind === 'reply') return null;
  const meta = message.params._meta;
  const revision = isJsonObject(meta) ? meta['io.modelcontextprotocol/protocolVersion'] : undefined;
  return typeof revision === 'string' ? revision : null;
}

/** The headers that a self-contained message is mirrored in. */
export function mirrored(message: Message, revision: string): Record<string, string> {
  if (message.kind === 'reply') return {};
  const headers: Record<string, string> = { 'mcp-protocol-version': encodeSentinel(revision) };
  if (message.kind === 'request') headers['mcp-method'] = encodeSentinel(message.method);
  const name = mirroredName(message.method, message.params);
  if (name !== null) headers['mcp-name'] = encodeSentinel(name);
  return headers;
}
