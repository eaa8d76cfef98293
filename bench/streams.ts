import type { Target } from './load.ts';
import { session } from './rounds.ts';

/** Streams of news that are open at once. */
const most = 50;
/** Milliseconds between two turns; in each the oldest goes and a new one comes. */
const every = 100;

/** Sessions of a token that each open their stream, hold it for five seconds, and end. */
export class Streams {
  opened = 0;
  /** Streams that ended before they were left. */
  lost = 0;
  readonly #target: Target;
  readonly #open: (() => Promise<void>)[] = [];
  readonly #timer: NodeJS.Timeout;
  #turn: Promise<void> = Promise.resolve();

  constructor(target: Target) {
    this.#target = target;
    this.#timer = setInterval(() => {
      this.#turn = this.#turn.then(() => this.#next()).catch(() => void this.lost++);
    }, every);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
    for (const leave of this.#open.splice(0)) await leave();
  }

  async #next(): Promise<void> {
    const { url, headers } = this.#target;
    const made = { authorization: headers.authorization ?? '', ...(await session(url, pick(headers))) };
    const leaving = new AbortController();
    const response = await fetch(url, {
      headers: { ...made, accept: 'text/event-stream' },
      signal: leaving.signal,
    });
    if (response.status !== 200) throw new Error(`a stream was answered with HTTP ${response.status}`);
    this.opened++;
    let left = false;
    const over = response.text().then(
      () => void (left || this.lost++),
      () => void (left || this.lost++),
    );
    this.#open.push(async () => {
      left = true;
      leaving.abort();
      await over;
      const ended = await fetch(url, { method: 'DELETE', headers: made });
      await ended.arrayBuffer();
    });
    if (this.#open.length > most) await this.#open.shift()?.();
  }
}

const pick = ({ authorization = '' }: Readonly<Record<string, string>>) => ({ authorization });
