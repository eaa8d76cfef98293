import type { Socket } from 'node:net';
import type { HttpRequest, HttpResponse } from './carrier.ts';
import { type PlainHead, readPlainHead } from './door-head.ts';
import { DoorResponse } from './door-response.ts';

/** What a connection at the door needs of the house. */
export interface House {
  /** Takes a request. Never throws. */
  serve(request: HttpRequest, response: HttpResponse): void;
  /** Gives the connection to Node's own server, with the bytes that are not yet answered. */
  handOver(connection: DoorConnection, socket: Socket, bytes: Buffer | null): void;
  gone(connection: DoorConnection): void;
  /** Milliseconds that a client may take nothing of an answer. */
  readonly stalled: number;
}

const longestHead = 16 * 1024;
const longestBody = 64 * 1024;
const endOfHead = Buffer.from('\r\n\r\n');

/**
 * One connection, read as far as it is plain: one request at a time, its head in one piece. At the first byte that is
 * anything else, Node gets the connection with that byte in front, and keeps it.
 */
export class DoorConnection {
  state: 'fresh' | 'body' | 'busy' | 'idle' | 'closing' = 'fresh';
  /** Epoch milliseconds of the last thing that happened; of a request that is not whole yet, when its head came. */
  #since: number;
  #unsentThen = 0;
  readonly #socket: Socket;
  readonly #house: House;
  #response: DoorResponse | null = null;
  /** The head before, which a client on a kept connection mostly repeats. */
  #lastText = '';
  #lastHead: PlainHead | null = null;
  #parts: Buffer[] = [];
  #missing = 0;
  #bodyAt = 0;
  /** Came while a request was being answered. */
  #early: Buffer | null = null;

  constructor(socket: Socket, house: House, now: number) {
    this.#socket = socket;
    this.#house = house;
    this.#since = now;
    socket.on('data', this.#data).on('end', this.#end).on('close', this.#close).on('error', this.#error);
    socket.on('timeout', this.#stalled);
  }

  /** Gives the connection away, unless a request is being answered. */
  handOver(): void {
    if (this.state === 'busy') return;
    const bytes = this.#parts.length > 0 ? Buffer.concat(this.#parts) : null;
    this.#leave(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Milliseconds since a byte came or went. A request that is on its way has no longer for being sent byte by byte. */
  silence(now: number): number {
    const unsent = this.#socket.writableLength;
    if (unsent !== this.#unsentThen && this.state !== 'body') this.#since = now;
    this.#unsentThen = unsent;
    return now - this.#since;
  }

  /** True while bytes of an answer are still to be sent. */
  get unsent(): boolean {
    return this.state === 'busy' || this.#socket.writableLength > 0;
  }

  readonly #data = (chunk: Buffer): void => {
    if (this.state === 'closing') return;
    if (this.state === 'busy') {
      // Pipelined. Who is not waited for is not read on either.
      this.#early = this.#early ? Buffer.concat([this.#early, chunk]) : chunk;
      this.#socket.pause();
    } else if (this.state === 'body') this.#more(chunk);
    else this.#begin(chunk);
  };

  #begin(chunk: Buffer): void {
    const end = chunk.indexOf(endOfHead);
    const head = end > 0 && end <= longestHead ? this.#read(chunk.toString('latin1', 0, end)) : null;
    this.#parts = [chunk];
    if (!head || head.length > longestBody) {
      this.handOver();
      return;
    }
    this.#since = Date.now();
    this.#lastHead = head;
    this.#bodyAt = end + endOfHead.length;
    this.#missing = this.#bodyAt + head.length - chunk.length;
    this.#go();
  }

  #more(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#missing -= chunk.length;
    this.#go();
  }

  #go(): void {
    if (this.#missing > 0) this.state = 'body';
    else if (this.#missing < 0) this.handOver();
    else this.#serve();
  }

  #read(text: string): PlainHead | null {
    if (text === this.#lastText) return this.#lastHead;
    this.#lastText = text;
    this.#lastHead = readPlainHead(text);
    return this.#lastHead;
  }

  #serve(): void {
    const [first] = this.#parts;
    const head = this.#lastHead;
    if (!first || !head) return;
    const all = this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.state = 'busy';
    this.#response = new DoorResponse(this.#socket, this.#done);
    const { path, headers } = head;
    const body = all.subarray(this.#bodyAt);
    this.#house.serve({ method: 'POST', url: path, headers, rawHeaders: [], body }, this.#response);
  }

  readonly #done = (keep: boolean): void => {
    this.#response = null;
    this.#since = Date.now();
    // What is written stays in memory until it is taken, though it is nobody's answer any more.
    if (this.#socket.writableLength > 0) this.#socket.setTimeout(this.#house.stalled);
    if (!keep) {
      this.state = 'closing';
      this.#socket.end();
    } else if (this.#socket.writableNeedDrain) {
      // Who takes nothing is not read on either, or each of its requests would leave another answer in memory.
      this.#socket.pause();
      this.#socket.once('drain', this.#goOn);
    } else this.#goOn();
  };

  readonly #goOn = (): void => {
    this.state = 'idle';
    const early = this.#early;
    this.#early = null;
    if (early === null) this.#socket.resume();
    else this.#leave(early);
  };

  /** As Node's own server: a client that ends its side wants no more. `close` follows when all that was written is sent. */
  readonly #end = (): void => {
    this.#socket.end();
  };

  readonly #close = (): void => {
    this.#house.gone(this);
    this.#response?.leave();
    this.#response = null;
  };

  /** No byte went for that long, also none of a large write that is under way: Node looks into the queue of the system. */
  readonly #stalled = (): void => {
    if (this.#socket.writableLength > 0) this.#socket.destroy();
    else this.#socket.setTimeout(0);
  };

  /** `close` follows, and does what there is to do. */
  readonly #error = (): void => undefined;

  #leave(bytes: Buffer | null): void {
    this.#parts = [];
    const socket = this.#socket;
    socket.off('data', this.#data).off('end', this.#end).off('close', this.#close).off('error', this.#error);
    socket.off('timeout', this.#stalled).setTimeout(0);
    this.#house.handOver(this, socket, bytes);
  }
}
