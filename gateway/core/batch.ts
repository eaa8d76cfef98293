import { claimsRevision } from './eras.ts';
import { isModern } from './exchange.ts';
import type { MessageHeaders } from './header-agreement.ts';
import type { JsonValue } from './json.ts';
import { isMalformed, type Message, type MessageId, readMessage } from './message.ts';
import { type Refusal, refuse } from './refusals.ts';

/** So many calls may begin with one request: more would let one client take every place at a server at once. */
export const batchAtMost = 32;

/**
 * The messages of a batch (2025-03-26, basic/transports), or why none of them is taken: a part of a batch that was
 * refused cannot be told from one that was lost, so what is wrong with one is wrong with all.
 */
export function readBatch(values: readonly JsonValue[], headers: MessageHeaders): readonly Message[] | Refusal {
  const no = (why: string): Refusal => refuse('message_malformed', why);
  if (headers.revision !== undefined && isModern(headers.revision))
    return no('One message a request, since 2025-06-18.');
  if (values.length === 0) return no('The batch is empty.');
  if (values.length > batchAtMost) return no(`A batch holds at most ${batchAtMost} messages.`);
  const ids = new Set<MessageId>();
  const messages: Message[] = [];
  for (const [index, value] of values.entries()) {
    const message = readMessage(value);
    const flaw = isMalformed(message) ? message.malformed : flawIn(message, ids);
    if (isMalformed(message) || flaw !== null) return no(`Message ${index + 1} of the batch: ${flaw}.`);
    if (message.kind === 'request') ids.add(message.id);
    messages.push(message);
  }
  return messages;
}

function flawIn(message: Message, ids: ReadonlySet<MessageId>): string | null {
  if (claimsRevision(message)) return 'its revision knows no batches';
  if (message.kind !== 'request') return null;
  if (message.method === 'initialize') return 'initialize comes alone (lifecycle §Initialization)';
  return ids.has(message.id) ? 'another one has the same id' : null;
}
