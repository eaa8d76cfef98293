import type { Answer, Ending } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import type { Leaving } from '#gateway/core/leaving.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import { type Answering, createAnswering } from './answering.ts';
import type { Clock } from './clock.ts';
import type { Envelope } from './envelope.ts';
import type { LineWriter, Ticket } from './line-writer.ts';
import type { Oddities } from './oddities.ts';
import { callerLeft, invalid, silent, tooLarge, tooSlow, unreachable } from './stdio-refusals.ts';

/** One request for the child, with what its answer may cost. */
export interface Question {
  readonly method: string;
  readonly params: JsonObject;
  readonly answerBytes: number;
  readonly firstByte: number;
  readonly timeout: number;
  /** How much of `timeout` is gone already. */
  readonly waited: number;
  readonly signal: Leaving | null;
}

/** The calls that wait for one child, by our own ids; the callers' ids and tokens never reach it. */
export interface Calls {
  ask(question: Question): Promise<Answer>;
  answered(envelope: Envelope, bytes: number): void;
  /** An answer that is none; false when its id is nobody's. */
  flawed(id: JsonValue | undefined, flaw: string): boolean;
  progress(params: JsonObject, bytes: number): void;
  /** An unfinished line has this many bytes. */
  growing(bytes: number): 'keep' | 'skip';
  /** The most that any call was ever allowed to be answered with: a late answer is no reason to stop the child. */
  largest(): number;
  /** Ends every call; `only` is what a call that is alone is told instead. */
  fail(refusal: Refusal, only?: (alone: Question) => Refusal): void;
}

interface Waiting {
  readonly id: number;
  readonly question: Question;
  readonly ticket: Ticket;
  readonly answering: Answering;
  /** The caller's progress token; our id stands in for it on the way. */
  readonly token: JsonValue | undefined;
  readonly began: number;
  readonly giveUp: () => void;
  bytes: number;
  heard: boolean;
  timer: NodeJS.Timeout;
}

interface Table {
  readonly server: string;
  readonly clock: Clock;
  readonly writer: LineWriter;
  readonly oddities: Oddities;
  readonly waiting: Map<number, Waiting>;
  /** Calls given up whose answer may still come, and since when. */
  readonly ghosts: Map<number, number>;
  last: number;
  largest: number;
}

const mostGhosts = 1_000;
const ghostMs = 60_000;

export function createCalls(from: Pick<Table, 'server' | 'clock' | 'writer' | 'oddities'>): Calls {
  const table: Table = { ...from, waiting: new Map(), ghosts: new Map(), last: 0, largest: 0 };
  return {
    ask: (question) => ask(table, question),
    answered: (envelope, bytes) => answered(table, envelope, bytes),
    flawed(id, flaw) {
      const call = typeof id === 'number' ? take(table, id) : null;
      call?.answering.end({ kind: 'refusal', refusal: invalid(table.server, flaw) });
      return call !== null;
    },
    progress: (params, bytes) => progress(table, params, bytes),
    growing: (bytes) => growing(table, bytes),
    largest: () => table.largest,
    fail(refusal, only) {
      const all = [...table.waiting.values()];
      for (const call of all) {
        take(table, call.id);
        const own = only && all.length === 1 ? only(call.question) : refusal;
        call.answering.end({ kind: 'refusal', refusal: own });
      }
    },
  };
}

function ask(table: Table, question: Question): Promise<Answer> {
  const { server } = table;
  const refusal = (refused: Refusal): Promise<Answer> => Promise.resolve({ kind: 'refusal', refusal: refused });
  if (question.signal?.aborted) return refusal(callerLeft(server));
  table.last += 1;
  table.largest = Math.max(table.largest, question.answerBytes);
  const id = table.last;
  const token = isJsonObject(question.params._meta) ? question.params._meta.progressToken : undefined;
  const ticket = table.writer.send(requestLine(id, question, token));
  if (ticket === null) return refusal(unreachable(server, 'does not read what it is sent'));
  const giveUp = (): void => forsake(table, id, callerLeft(server));
  const { firstByte, timeout, waited } = question;
  const late = (): void =>
    forsake(table, id, firstByte < timeout - waited ? silent(server, firstByte) : tooSlow(server, timeout));
  const answering = createAnswering(giveUp);
  table.waiting.set(id, {
    ...{ id, question, ticket, answering, token, giveUp },
    began: table.clock.now() - waited,
    bytes: 0,
    heard: false,
    timer: setTimeout(late, Math.max(0, Math.min(firstByte, timeout - waited))),
  });
  question.signal?.addEventListener('abort', giveUp);
  return answering.answer;
}

function requestLine(id: number, { method, params }: Question, token: JsonValue | undefined): string {
  if (token === undefined) return JSON.stringify({ jsonrpc: '2.0', id, method, params });
  const meta = { ...(params._meta as JsonObject), progressToken: id };
  return JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } });
}

function answered(table: Table, envelope: Envelope, bytes: number): void {
  const { id, result, error } = envelope;
  const call = typeof id === 'number' ? take(table, id) : null;
  if (!call) {
    table.oddities.count(whose(table, id));
    return;
  }
  const { answerBytes } = call.question;
  const fits = call.bytes + bytes <= answerBytes;
  const refusal = (): Ending => ({ kind: 'refusal', refusal: tooLarge(table.server, answerBytes) });
  call.answering.end(fits ? endOf(result, error) : refusal());
}

function endOf(result: Envelope['result'], error: Envelope['error']): Ending {
  if (error) return { kind: 'error', error };
  return { kind: 'result', result: result?.value ?? {}, source: result?.source ?? null };
}

function whose(table: Table, id: JsonValue): 'unknownAnswer' | 'lateAnswer' | 'secondAnswer' {
  if (typeof id !== 'number' || id < 1 || id > table.last) return 'unknownAnswer';
  return table.ghosts.delete(id) ? 'lateAnswer' : 'secondAnswer';
}

function progress(table: Table, params: JsonObject, bytes: number): void {
  const id = params.progressToken;
  const call = typeof id === 'number' ? table.waiting.get(id) : undefined;
  if (call?.token === undefined) {
    table.oddities.count('unknownProgress');
    return;
  }
  const { answerBytes } = call.question;
  call.bytes += bytes;
  if (call.bytes > answerBytes) {
    forsake(table, call.id, tooLarge(table.server, answerBytes));
    return;
  }
  heard(table, call);
  const shown = { ...params, progressToken: call.token };
  call.answering.add({ kind: 'notification', method: 'notifications/progress', params: shown });
}

/** From the first message on only the whole call's time counts. */
function heard(table: Table, call: Waiting): void {
  if (call.heard) return;
  call.heard = true;
  clearTimeout(call.timer);
  const { timeout } = call.question;
  const left = Math.max(0, timeout - (table.clock.now() - call.began));
  call.timer = setTimeout(() => forsake(table, call.id, tooSlow(table.server, timeout)), left);
}

/** The rest of a line is not kept when it can only be one call's answer, and is too large for it already. */
function growing(table: Table, bytes: number): 'keep' | 'skip' {
  const [call, another] = table.waiting.values();
  if (!call || another || call.bytes + bytes <= call.question.answerBytes) return 'keep';
  for (const [id, since] of table.ghosts) {
    if (table.clock.now() - since < ghostMs) return 'keep';
    table.ghosts.delete(id);
  }
  forsake(table, call.id, tooLarge(table.server, call.question.answerBytes));
  table.ghosts.delete(call.id);
  return 'skip';
}

function take(table: Table, id: number): Waiting | null {
  const call = table.waiting.get(id);
  if (!call) return null;
  table.waiting.delete(id);
  clearTimeout(call.timer);
  call.question.signal?.removeEventListener('abort', call.giveUp);
  return call;
}

/** Gives a call up: the child is told to stop, unless it never got the call. `initialize` may not be cancelled. */
function forsake(table: Table, id: number, refusal: Refusal): void {
  const call = take(table, id);
  if (!call) return;
  if (!table.writer.withdraw(call.ticket) && call.question.method !== 'initialize') {
    table.ghosts.set(id, table.clock.now());
    const [oldest] = table.ghosts.keys();
    if (table.ghosts.size > mostGhosts && oldest !== undefined) table.ghosts.delete(oldest);
    const params = { requestId: id, reason: 'The gateway no longer waits for the answer.' };
    const sent = table.writer.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
    if (sent === null) table.oddities.count('deaf');
  }
  call.answering.end({ kind: 'refusal', refusal });
}
