import { decodeUtf8 } from '#gateway/core/base64url.ts';
import { type Ending, noAnswer } from '#gateway/core/exchange.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { MaybePromise } from '#gateway/ports.ts';
import { type Bytes, createBytes } from './bytes.ts';
import { parseJson, readEnvelope } from './envelope.ts';
import type { Head } from './http-exchange.ts';
import type { Turn } from './turn.ts';

/** The two media types MCP knows; parameters are allowed, anything else is not what it was asked for. */
export function bodyKind({ headers }: Head): 'json' | 'events' | null {
  const header = headers['content-type'];
  if (typeof header !== 'string') return null;
  const semicolon = header.indexOf(';');
  const type = (semicolon < 0 ? header : header.slice(0, semicolon).trimEnd()).toLowerCase();
  if (type === 'application/json') return 'json';
  return type === 'text/event-stream' ? 'events' : null;
}

/** The whole body as one JSON-RPC answer. Past the limit nothing more is read. */
export function readAnswer(turn: Turn): MaybePromise<Ending> {
  const text = readText(turn);
  return text instanceof Promise ? text.then((later) => textAnswer(turn, later)) : textAnswer(turn, text);
}

const textAnswer = (turn: Turn, text: string | Refusal): Ending =>
  isRefusal(text) ? noAnswer(text) : believe(turn, text);

/** Takes a text for the answer to our request, if it is one. One that belongs to another makes its connection suspect. */
export function believe(turn: Turn, text: string, parsed = parseJson(text)): Ending {
  const { failures, wire } = turn.link;
  const answer = readEnvelope(text, parsed);
  if ('flaw' in answer) return noAnswer(failures.invalid(`answered, but ${answer.flaw}`));
  if (answer.id !== turn.id) {
    wire.renew();
    return noAnswer(failures.invalid('answered, but to another request (wrong id)'));
  }
  if (answer.error) return { kind: 'error', error: answer.error };
  if (answer.result === null) return noAnswer(failures.invalid('answered nothing'));
  return { kind: 'result', result: answer.result.value, source: answer.result.source };
}

const faultBytes = 64 * 1024;

/** The JSON-RPC error with our id in the body of an HTTP error, if there is one. */
export async function readFault(turn: Turn): Promise<Ending | null> {
  turn.left = Math.min(turn.left, faultBytes);
  const text = await readText(turn);
  if (isRefusal(text)) return null;
  const answer = readEnvelope(text);
  return 'flaw' in answer || answer.id !== turn.id || !answer.error ? null : { kind: 'error', error: answer.error };
}

/** All of the body as text; at once when all of it is there. */
function readText(turn: Turn): MaybePromise<string | Refusal> {
  const first = turn.exchange.read();
  if (!Buffer.isBuffer(first)) return readOn(turn, createBytes(), first);
  turn.left -= first.length;
  if (turn.left < 0) return turn.link.failures.tooLarge(turn.out.answerBytes);
  const second = turn.exchange.read();
  if (second === null) return decoded(turn, first);
  const bytes = createBytes();
  bytes.append(first);
  return readOn(turn, bytes, second);
}

const decoded = (turn: Turn, bytes: Buffer): string | Refusal =>
  decodeUtf8(bytes) ?? turn.link.failures.invalid('answered something that is not valid UTF-8');

async function readOn(turn: Turn, bytes: Bytes, next: ReturnType<Turn['exchange']['read']>): Promise<string | Refusal> {
  for (let given = next; ; given = turn.exchange.read()) {
    const bit = given instanceof Promise ? await given : given;
    if (isRefusal(bit)) return bit;
    if (bit === null) return decoded(turn, bytes.take());
    turn.left -= bit.length;
    if (turn.left < 0) return turn.link.failures.tooLarge(turn.out.answerBytes);
    bytes.append(bit);
  }
}
