import { Connection } from './connection.ts';
import type { Dial } from './dial.ts';
import { PlainExchange, type PlainRequest, type Sentences } from './exchange.ts';
import { createRequestWriter } from './request-text.ts';

/** The connections to one plain `http:` URL, for POST requests only. */
export interface PlainPool {
  /** Throws when a header cannot be written. */
  post(request: PlainRequest, body: string): PlainExchange;
  /** No connection that stands now carries another request. */
  renew(): void;
  close(): void;
}

export interface PlainPoolOptions {
  readonly url: URL;
  /** Milliseconds. */
  readonly connect: number;
  readonly say: Sentences;
  /** The longest an unused connection is kept, and any connection, in milliseconds. */
  readonly keep: { readonly idle: number; readonly age: number };
  /** Not left to a default: whoever makes a pool says who looks at addresses before they are dialled. */
  readonly dial: Dial;
}

/** By how much we give up an idle connection before its server says that it does. */
const margin = 1_000;
const sweepEvery = 1_000;

export function createPlainPool({ url, connect, say, keep, dial }: PlainPoolOptions): PlainPool {
  const write = createRequestWriter(url);
  const all = new Set<Connection>();
  // The newest last, and taken first: what is not needed grows old and goes.
  const idle: Connection[] = [];
  let sweeper: NodeJS.Timeout | undefined;
  let over = false;

  const usable = ({ idleUntil, oldAt }: Connection, now: number): boolean => now < idleUntil && now < oldAt;

  const sweep = (): void => {
    const now = performance.now();
    for (const each of [...idle]) if (!usable(each, now)) each.destroy();
  };

  const lender = {
    free(connection: Connection, idleHint: number | null): void {
      const now = performance.now();
      connection.idleUntil = now + Math.min(keep.idle, (idleHint ?? Number.POSITIVE_INFINITY) - margin);
      if (usable(connection, now)) idle.push(connection);
      else connection.destroy();
    },
    gone(connection: Connection): void {
      all.delete(connection);
      const at = idle.lastIndexOf(connection);
      if (at >= 0) idle.splice(at, 1);
      if (all.size > 0) return;
      clearInterval(sweeper);
      sweeper = undefined;
    },
  };

  const take = (): Connection => {
    const now = performance.now();
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      if (usable(kept, now)) return kept;
      kept.destroy();
    }
    const made = new Connection(dial, connect, say, lender);
    made.oldAt = now + keep.age;
    all.add(made);
    sweeper ??= setInterval(sweep, sweepEvery).unref();
    return made;
  };

  return {
    post(request, body) {
      const text = write(request.headers, body);
      const exchange = new PlainExchange(request, say);
      if (over) exchange.fail(say.closed);
      else take().carry(exchange, text);
      return exchange;
    },
    renew() {
      for (const each of [...all]) each.retired = true;
      for (const each of [...idle]) each.destroy();
    },
    close() {
      over = true;
      for (const each of [...all]) each.close();
    },
  };
}
