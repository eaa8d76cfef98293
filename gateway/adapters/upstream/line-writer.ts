import type { Writable } from 'node:stream';

export type Ticket = number;

/** The only writer of one stream: whole lines of JSON, in order, held back while the other end does not read. */
export interface LineWriter {
  /** Null when the stream is closed, or when too much waits already. */
  send(json: string): Ticket | null;
  /** Takes a line back; false when it has left. */
  withdraw(ticket: Ticket): boolean;
}

const mostHeld = 16 * 1024 * 1024;

/** `JSON.stringify` leaves these as they are, and Node's own readline and others take them for the end of a line. */
const newlines = /[\u0085\u2028\u2029]/g;

export const closedWriter: LineWriter = { send: () => null, withdraw: () => false };

export function createLineWriter(stream: Writable): LineWriter {
  const queue = new Map<Ticket, string>();
  let held = 0;
  let last = 0;
  let full = false;

  const flush = (): void => {
    for (const [ticket, line] of queue) {
      if (full) return;
      queue.delete(ticket);
      held -= line.length;
      full = !stream.write(`${line}\n`);
    }
  };
  stream.on('drain', () => {
    full = false;
    flush();
  });

  return {
    send(json) {
      const line = json.replace(newlines, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
      if (!stream.writable || (queue.size > 0 && held + line.length > mostHeld)) return null;
      last += 1;
      queue.set(last, line);
      held += line.length;
      flush();
      return last;
    },
    withdraw(ticket) {
      const line = queue.get(ticket);
      if (line === undefined) return false;
      held -= line.length;
      return queue.delete(ticket);
    },
  };
}
