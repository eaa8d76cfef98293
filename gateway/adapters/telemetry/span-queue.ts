import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Log } from '#gateway/ports.ts';

/** One batch of 128 blocks the loop half a millisecond; 8,192 spans are what 400 calls/s lose in a stall of 10 s. */
const batch = { maxExportBatchSize: 128, maxQueueSize: 8_192, scheduledDelayMillis: 1_000 } as const;

/** Requests under way at once: at the end the whole queue is sent in one go, and past its limit the exporter refuses. */
export const mostBatches = batch.maxQueueSize / batch.maxExportBatchSize + 1;

export interface SpanQueue {
  readonly processor: SpanProcessor;
  /** Spans that were ended and never reached the collector. */
  dropped(): number;
}

/**
 * The SDK's batching queue, with the spans counted that it loses: it says so only in a debug line. A span is lost when
 * the queue is full (it would be, so it is not even offered) and when its batch could not be sent.
 */
export function createSpanQueue(exporter: SpanExporter, log: Log): SpanQueue {
  let queued = 0;
  let dropped = 0;
  let failing = false;
  const lost = (spans: number, error: Error | undefined): void => {
    dropped += spans;
    if (!failing) log.warn({ error: error?.name, dropped }, 'spans cannot be sent to the collector');
    failing = true;
  };
  const counted: SpanExporter = {
    export(spans, done) {
      queued -= spans.length;
      exporter.export(spans, (result) => {
        if (result.code !== 0) lost(spans.length, result.error);
        else if (failing) {
          failing = false;
          log.info({ dropped }, 'spans reach the collector again');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
  const inner = new BatchSpanProcessor({ ...batch, exporter: counted });
  const processor: SpanProcessor = {
    onStart: () => {},
    onEnd(span: ReadableSpan) {
      if (queued >= batch.maxQueueSize) {
        dropped++;
        return;
      }
      queued++;
      inner.onEnd(span);
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
  return { processor, dropped: () => dropped };
}
