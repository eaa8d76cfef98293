import type { Socket } from 'node:net';
import type { Dial } from './dial.ts';
import type { PlainExchange, Sentences } from './exchange.ts';
import { Framing } from './framing.ts';
import { HeadReader } from './head-reader.ts';
import type { RequestText } from './request-text.ts';

/** Who lends connections out. */
export interface Lender {
  /** It can carry another request; `idleHint` is how long the server says it keeps it, in milliseconds, or null. */
  free(connection: Connection, idleHint: number | null): void;
  gone(connection: Connection): void;
}

const bufferBytes = 64 * 1024;
const mostInformational = 8;
const closed = { code: 'ECONNRESET' };
const connectTimeout = { code: 'UND_ERR_CONNECT_TIMEOUT' };

/** One socket, with one request on it at a time. */
export class Connection {
  /** When it ends: unused, and in any case; in the milliseconds of `performance.now`. For the lender. */
  idleUntil = 0;
  oldAt = 0;
  /** When true, it carries no request after this one. */
  retired = false;
  readonly #lender: Lender;
  readonly #say: Sentences;
  readonly #bytes = Buffer.allocUnsafeSlow(bufferBytes);
  readonly #socket: Socket;
  readonly #head = new HeadReader();
  readonly #framing = new Framing();
  #state: 'connecting' | 'open' | 'destroyed' = 'connecting';
  #exchange: PlainExchange | null = null;
  #unsent: RequestText | null = null;
  #inBody = false;
  #informational = 0;
  #paused = false;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;

  constructor(dial: Dial, connectMs: number, say: Sentences, lender: Lender) {
    this.#lender = lender;
    this.#say = say;
    this.#socket = dial({ buffer: this.#bytes, callback: (size) => this.#take(size) });
    this.#socket.once('connect', () => this.#connected());
    this.#socket.once('end', () => this.#closed());
    this.#socket.once('close', () => this.#closed());
    this.#socket.on('error', (error) => this.#failed(error));
    this.watch(connectMs);
  }

  carry(exchange: PlainExchange, request: RequestText): void {
    this.#exchange = exchange;
    exchange.carriedBy(this);
    if (this.#state === 'connecting') this.#unsent = request;
    else this.#send(exchange, request);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  destroy(): void {
    if (this.#state === 'destroyed') return;
    this.#state = 'destroyed';
    this.#exchange = null;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#lender.gone(this);
  }

  /** Ends it, and what it carries. */
  close(): void {
    this.#end(this.#say.closed);
  }

  /** One timer for all waits: what is over is not cleared but ignored, so a call makes none. */
  watch(ms: number): void {
    if (this.#state === 'destroyed') return;
    if (this.#timer !== undefined && this.#timerMs === ms) return void this.#timer.refresh();
    clearTimeout(this.#timer);
    this.#timerMs = ms;
    this.#timer = setTimeout(() => this.#timeUp(), ms).unref();
  }

  #timeUp(): void {
    if (this.#state === 'connecting') this.#failed(connectTimeout);
    else this.#exchange?.timeUp();
  }

  #connected(): void {
    const [exchange, request] = [this.#exchange, this.#unsent];
    this.#state = 'open';
    this.#unsent = null;
    if (exchange === null || request === null) this.destroy();
    else this.#send(exchange, request);
  }

  #send(exchange: PlainExchange, { text, encoding }: RequestText): void {
    this.#head.begin();
    this.#inBody = false;
    this.#informational = 0;
    exchange.sent();
    this.#socket.write(text, encoding);
  }

  /** What came in; false to read no more for now. */
  #take(size: number): boolean {
    const exchange = this.#exchange;
    // A server that speaks unasked: whatever it says must not become the answer to what is asked next.
    if (exchange === null || this.#state !== 'open') return this.#drop();
    let at = 0;
    if (!this.#inBody) at = this.#readHeads(exchange, size);
    if (!this.#inBody) return this.#state === 'open';
    return this.#readBody(exchange, at, size);
  }

  #readHeads(exchange: PlainExchange, size: number): number {
    let at = 0;
    for (;;) {
      at = this.#head.read(this.#bytes, at, size);
      const { head, garbled } = this.#head;
      if (head === null && !garbled) return at;
      if (head === null || (head.status < 200 && ++this.#informational > mostInformational)) {
        this.#end(this.#say.garbled);
        return at;
      }
      if (head.status >= 200) {
        this.#inBody = true;
        this.#framing.begin(head.length);
        exchange.headed(head);
        return at;
      }
      this.#head.begin();
    }
  }

  #readBody(exchange: PlainExchange, from: number, size: number): boolean {
    const framing = this.#framing;
    const at = framing.read(this.#bytes, from, size);
    let more = true;
    if (framing.found > 0) more = exchange.take(this.#bytes, from, from + framing.found);
    if (this.#state !== 'open') return false;
    if (framing.broken) this.#end(this.#say.garbled);
    else if (framing.over) this.#finish(exchange, at < size);
    else this.#paused = !more;
    return !this.#paused;
  }

  #finish(exchange: PlainExchange, beyond: boolean): void {
    const { head } = this.#head;
    this.#exchange = null;
    exchange.complete();
    const whole = !beyond && this.#socket.writableLength === 0;
    if (!whole || this.retired || !head?.keeps) this.destroy();
    else this.#lender.free(this, head.idleHint);
  }

  /** The other side sends nothing more, or the socket is closed. */
  #closed(): void {
    const exchange = this.#exchange;
    if (exchange === null) this.destroy();
    else if (this.#state === 'open' && this.#inBody && this.#framing.close()) {
      this.#exchange = null;
      exchange.complete();
      this.destroy();
    } else this.#failed(closed);
  }

  #failed(error: unknown): void {
    this.#end(this.#state === 'connecting' ? this.#say.unreachable(error) : this.#say.broken(error));
  }

  #end(why: ReturnType<Sentences['broken']>): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.fail(why);
    this.destroy();
  }

  #drop(): boolean {
    this.destroy();
    return false;
  }
}
