import { decisionEvent, type Judgement, type KeptArguments } from '#gateway/core/decision-event.ts';
import { product } from '#gateway/core/product.ts';
import type { Log } from '#gateway/ports.ts';
import { createLineQueue } from './line-queue.ts';

export interface DecisionLog {
  told(judgement: Judgement): void;
  counts(): { readonly written: number; readonly dropped: number };
  close(): Promise<void>;
}

/** Judgements that wait for their turn; each may hold the arguments of a call. */
const mostWaiting = 10_000;

/**
 * The decision log: one JSON line a call. It is written beside the calls, not before their answers, and it is no audit: a
 * file that does not keep up loses lines, and they are counted.
 */
export function createDecisionLog(options: {
  readonly path: string;
  readonly kept: KeptArguments;
  readonly log: Log;
}): DecisionLog {
  const { path, kept, log } = options;
  const lines = createLineQueue(path, log);
  let waiting: Judgement[] = [];
  let dropped = 0;

  function write(): void {
    const now = waiting;
    waiting = [];
    for (const judgement of now) {
      const timestamp = new Date(judgement.asked.at).toISOString();
      const event = decisionEvent(judgement, kept, { version: product.version, timestamp });
      if (!lines.push(`${JSON.stringify(event)}\n`)) dropped++;
    }
  }
  return {
    told(judgement) {
      if (waiting.length >= mostWaiting) {
        dropped++;
        return;
      }
      if (waiting.length === 0) setImmediate(write);
      waiting.push(judgement);
    },
    counts: () => ({ written: lines.written(), dropped }),
    async close() {
      write();
      dropped += await lines.close();
    },
  };
}
