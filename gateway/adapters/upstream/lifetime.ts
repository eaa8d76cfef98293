import type { Leaving } from '#gateway/core/leaving.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Failures } from './failures.ts';

/** How long one call may take: its total time, and as long as somebody wants the answer. */
export interface Lifetime {
  /** Why it is over, or null. */
  readonly over: Refusal | null;
  /** True while a person is being asked. */
  readonly asking: boolean;
  /** Calls back once when it is over; gives back how to take that off again. */
  onOver(tell: (why: Refusal) => void): () => void;
  /** The clock stands still while a person is asked; another one, much longer, runs. */
  askBegins(): void;
  askEnds(): void;
  /** Waits, or less when it is over before. */
  sleep(ms: number): Promise<void>;
  /** What `promise` brings, or why it was not waited for. */
  race<T>(promise: Promise<T>): Promise<T | Refusal>;
  end(): void;
}

/** As long as the official SDK's clients wait for a person. */
const longestAsk = 600_000;

interface Terms {
  readonly failures: Failures;
  readonly timeout: number;
  readonly signal: Leaving | null;
}

export const createLifetime = (terms: Terms): Lifetime => new RunningLifetime(terms);

/** A class, because every call has one: fields, and no closure but the one that the signal needs. */
class RunningLifetime implements Lifetime {
  over: Refusal | null = null;
  readonly #terms: Terms;
  #told: Set<(why: Refusal) => void> | null = null;
  #ended = false;
  #asks = 0;
  #left: number;
  #since = performance.now();
  #timer: NodeJS.Timeout;
  readonly #leave = (): void => this.#finish(this.#terms.failures.cancelled);

  constructor(terms: Terms) {
    this.#terms = terms;
    this.#left = terms.timeout;
    this.#timer = setTimeout(runOut, terms.timeout, this);
    terms.signal?.addEventListener('abort', this.#leave);
    if (terms.signal?.aborted) this.#leave();
  }

  get asking(): boolean {
    return this.#asks > 0;
  }

  onOver(tell: (why: Refusal) => void): () => void {
    if (this.over) tell(this.over);
    else {
      this.#told ??= new Set();
      this.#told.add(tell);
    }
    return () => void this.#told?.delete(tell);
  }

  askBegins(): void {
    if (this.#asks++ > 0 || this.#ended) return;
    clearTimeout(this.#timer);
    this.#left -= performance.now() - this.#since;
    const { failures } = this.#terms;
    const nobody = failures.timeout('asked a question that nobody answered', longestAsk);
    this.#timer = setTimeout(() => this.#finish(nobody), longestAsk);
  }

  askEnds(): void {
    if (--this.#asks > 0 || this.#ended) return;
    clearTimeout(this.#timer);
    this.#since = performance.now();
    this.#timer = setTimeout(runOut, Math.max(0, this.#left), this);
  }

  sleep(ms: number): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(alarm);
        off();
        resolve();
      };
      const alarm = setTimeout(wake, ms);
      const off = this.onOver(wake);
    });
  }

  race<T>(promise: Promise<T>): Promise<T | Refusal> {
    return new Promise((resolve, reject) => {
      const off = this.onOver(resolve);
      void promise.then(resolve, reject).finally(off);
    });
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#terms.signal?.removeEventListener('abort', this.#leave);
  }

  runOut(): void {
    const { failures, timeout } = this.#terms;
    this.#finish(failures.timeout('did not answer completely', timeout));
  }

  #finish(why: Refusal): void {
    if (this.over) return;
    this.end();
    this.over = why;
    const told = this.#told;
    this.#told = null;
    for (const tell of told ?? []) tell(why);
  }
}

const runOut = (life: RunningLifetime): void => life.runOut();
