import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpResponse } from './carrier.ts';

/** Seconds that a connection may be silent between two requests, as the client is told. */
export const keepAliveSeconds = 65;

/** Characters of a stream that are held until the end of the turn, so that many small events are one write. */
const mostHeld = 16 * 1024;

/**
 * The answer to one request at the door: one write when it is whole, chunks (RFC 9112 §7.1) when it is a stream, one for
 * all that is written in a turn. After `end` it belongs to nobody and writes nothing, whatever the connection carries by
 * then.
 */
export class DoorResponse implements HttpResponse {
  headersSent = false;
  writableEnded = false;
  readonly #socket: Socket;
  readonly #done: (keep: boolean) => void;
  #status = 200;
  #headers: OutgoingHttpHeaders = {};
  #left = false;
  #held = '';
  #flushing = false;
  #closers: (() => void)[] = [];

  /** @param done Called once, when the answer is written: may another request follow? */
  constructor(socket: Socket, done: (keep: boolean) => void) {
    this.#socket = socket;
    this.#done = done;
  }

  get destroyed(): boolean {
    return this.#left || (!this.writableEnded && !this.#socket.writable);
  }

  get writableFinished(): boolean {
    return this.writableEnded;
  }

  get writableNeedDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  writeHead(status: number, headers: OutgoingHttpHeaders = {}): this {
    if (this.headersSent) throw new Error('the head of this answer was sent already');
    this.#status = status;
    this.#headers = headers;
    return this;
  }

  flushHeaders(): void {
    if (this.headersSent || this.#silent()) return;
    this.headersSent = true;
    this.#socket.write(`${this.#head()}transfer-encoding: chunked\r\n\r\n`, 'latin1');
  }

  write(text: string): boolean {
    if (this.#silent() || text === '') return true;
    this.flushHeaders();
    this.#held += text;
    if (this.#held.length > mostHeld) this.#flush();
    else if (!this.#flushing) {
      this.#flushing = true;
      process.nextTick(this.#flush);
    }
    return !this.#socket.writableNeedDrain;
  }

  end(text = '', encoding: BufferEncoding = 'utf8'): void {
    if (this.#silent()) return;
    if (this.headersSent) {
      this.#held += text;
      this.#socket.write(`${this.#chunk()}0\r\n\r\n`);
    } else {
      this.headersSent = true;
      const length =
        this.#headers['content-length'] === undefined ? `content-length: ${Buffer.byteLength(text)}\r\n` : '';
      this.#socket.write(`${this.#head()}${length}\r\n${text}`, encoding);
    }
    this.writableEnded = true;
    this.#close();
    this.#done(this.#headers.connection !== 'close');
  }

  /** Cuts the client off. When the answer is over the connection may carry another one by now. */
  destroy(): void {
    if (!this.#isOver()) this.#socket.destroy();
  }

  once(event: 'close' | 'drain', listener: () => void): this {
    if (event === 'close') {
      if (this.#isOver()) listener();
      else this.#closers.push(listener);
    } else if (!this.#isOver()) this.#socket.once('drain', listener);
    return this;
  }

  off(event: 'close' | 'drain', listener: () => void): this {
    if (event === 'close') this.#closers = this.#closers.filter((one) => one !== listener);
    else this.#socket.off('drain', listener);
    return this;
  }

  /** The client left before all was written. */
  leave(): void {
    if (this.writableEnded) return;
    this.#left = true;
    this.#close();
  }

  /** An answer that is over has nothing left to say: its end took what was held along. */
  readonly #flush = (): void => {
    this.#flushing = false;
    const chunk = this.#chunk();
    if (chunk !== '' && !this.#silent()) this.#socket.write(chunk);
  };

  #chunk(): string {
    const held = this.#held;
    this.#held = '';
    return held === '' ? '' : `${Buffer.byteLength(held).toString(16)}\r\n${held}\r\n`;
  }

  #isOver(): boolean {
    return this.writableEnded || this.#left;
  }

  #silent(): boolean {
    return this.#isOver() || !this.#socket.writable;
  }

  #close(): void {
    if (this.#closers.length === 0) return;
    for (const closer of this.#closers.splice(0)) closer();
  }

  #head(): string {
    let head = `HTTP/1.1 ${this.#status} ${STATUS_CODES[this.#status] ?? ''}\r\n`;
    let connection = `connection: keep-alive\r\nkeep-alive: timeout=${keepAliveSeconds}\r\n`;
    for (const name in this.#headers) {
      const value = String(this.#headers[name]);
      // What we write into a head is ours; a line break in it would be somebody else's second head.
      if (!/^[\x20-\x7e]*$/.test(value)) throw new Error(`the header ${name} has a value that no header can carry`);
      if (name === 'connection') connection = '';
      head += `${name}: ${value}\r\n`;
    }
    return `${head}date: ${httpDate()}\r\n${connection}`;
  }
}

let second = 0;
let shown = '';

/** RFC 9110 §6.6.1, worked out once a second. */
function httpDate(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    shown = new Date(now * 1000).toUTCString();
  }
  return shown;
}
