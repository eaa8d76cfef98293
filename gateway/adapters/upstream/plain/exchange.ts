import type { IncomingHttpHeaders } from 'node:http';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';

export interface PlainRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds until the head of the answer, counted from the request being written, or null. */
  readonly firstByte: number | null;
  /** Milliseconds that a wait for bytes of the body may take, or null. */
  readonly idle: number | null;
  /** True while silence is in order. */
  excused?(): boolean;
}

/** The sentences for what goes wrong. */
export interface Sentences {
  unreachable(error: unknown): Refusal;
  broken(error: unknown): Refusal;
  timeout(what: string, ms: number): Refusal;
  readonly garbled: Refusal;
  readonly closed: Refusal;
}

/** What an exchange needs of the connection that carries it. */
interface Line {
  resume(): void;
  destroy(): void;
  /** Calls `timeUp` in so many milliseconds, instead of whenever it was to be called before. */
  watch(ms: number): void;
}

interface Head {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

type Bit = Buffer | null | Refusal;

const store = { bytes: 64 * 1024, chunks: 64 } as const;
const rest = { bytes: 16 * 1024, ms: 100 } as const;

/**
 * One request and its answer: the reader's end (`head`, `read`, `abort`, `discard`) and the connection's. The connection is
 * let go of as soon as the answer is complete, so that nothing done here later can touch the next exchange on it.
 */
export class PlainExchange {
  readonly head: Promise<Head | Refusal>;
  readonly request: PlainRequest;
  readonly #say: Sentences;
  readonly #headed: (head: Head | Refusal) => void;
  readonly #chunks: Buffer[] = [];
  #stored = 0;
  #ended: 'running' | 'complete' | 'discarded' | Refusal = 'running';
  #waiting: ((bit: Bit) => void) | null = null;
  #awaits: 'head' | 'body' | 'rest' | null = null;
  #line: Line | null = null;

  constructor(request: PlainRequest, say: Sentences) {
    const { promise, resolve } = Promise.withResolvers<Head | Refusal>();
    this.head = promise;
    this.#headed = resolve;
    this.request = request;
    this.#say = say;
  }

  /** The next bytes of the body, null at its end. */
  read(): Bit | Promise<Bit> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#stored -= chunk.length;
      if (this.#stored < store.bytes / 2 && this.#chunks.length < store.chunks / 2) this.#line?.resume();
      return chunk;
    }
    if (this.#ended === 'complete' || this.#ended === 'discarded') return null;
    if (isRefusal(this.#ended)) return this.#ended;
    if (this.request.idle !== null) this.#await('body', this.request.idle);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Everything that is still to come reads `why`, and the server sees its connection closed. */
  abort(why: Refusal): void {
    const unread = this.#chunks.length > 0;
    this.#chunks.length = 0;
    if (this.#ended === 'complete' && unread) this.#ended = why;
    const line = this.#line;
    this.fail(why);
    line?.destroy();
  }

  /** The rest is of no interest. A short rest is read, so that the connection can be used again. */
  discard(): void {
    if (this.#ended !== 'running') return;
    this.#ended = 'discarded';
    this.#chunks.length = 0;
    this.#stored = 0;
    this.#give(null);
    this.#line?.resume();
    this.#await('rest', rest.ms);
  }

  carriedBy(line: Line): void {
    this.#line = line;
  }

  /** The request is written: from now on an answer is due. */
  sent(): void {
    if (this.request.firstByte !== null) this.#await('head', this.request.firstByte);
  }

  headed(head: Head): void {
    if (this.#awaits === 'head') this.#awaits = null;
    this.#headed(head);
  }

  /** Bytes of the body; they are copied. False when that is enough for now. */
  take(bytes: Buffer, from: number, to: number): boolean {
    if (this.#ended === 'discarded') {
      this.#stored += to - from;
      if (this.#stored > rest.bytes) this.#line?.destroy();
      return true;
    }
    const chunk = Buffer.allocUnsafe(to - from);
    bytes.copy(chunk, 0, from, to);
    if (this.#waiting !== null) {
      this.#give(chunk);
      return true;
    }
    this.#stored += chunk.length;
    this.#chunks.push(chunk);
    return this.#stored < store.bytes && this.#chunks.length < store.chunks;
  }

  complete(): void {
    this.#line = null;
    this.#awaits = null;
    if (this.#ended === 'running') this.#ended = 'complete';
    this.#give(null);
  }

  fail(why: Refusal): void {
    this.#line = null;
    this.#awaits = null;
    this.#headed(why);
    if (this.#ended !== 'running') return;
    this.#ended = why;
    this.#give(why);
  }

  /** Nothing came in the time that `watch` was told. */
  timeUp(): void {
    const awaits = this.#awaits;
    const { firstByte, idle } = this.request;
    if (awaits === 'rest') this.abort(this.#say.closed);
    else if (awaits === 'head') this.#late('did not begin to answer', firstByte ?? 0);
    else if (awaits === 'body') this.#late('went silent and sent nothing', idle ?? 0);
  }

  #late(what: string, ms: number): void {
    if (this.request.excused?.()) this.#line?.watch(ms);
    else this.abort(this.#say.timeout(what, ms));
  }

  #await(what: 'head' | 'body' | 'rest', ms: number): void {
    this.#awaits = what;
    this.#line?.watch(ms);
  }

  #give(bit: Bit): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#awaits = null;
    this.#waiting = null;
    waiting(bit);
  }
}
