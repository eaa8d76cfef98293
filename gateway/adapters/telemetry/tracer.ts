import {
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';
import { type CallRecord, learn, type Received } from '#gateway/core/call.ts';
import { callerContext, formatTraceparent, type TraceHeader, type TraceParent } from '#gateway/core/trace-context.ts';
import type { Watch } from '#gateway/pipeline.ts';
import { startSdk } from './otel-sdk.ts';
import { attributes as a } from './semconv.ts';
import {
  clientAttributes,
  clientOutcome,
  endedAttributes,
  receivedAttributes,
  receivedName,
  refusalEvent,
  serverStatus,
  spanName,
} from './span-attributes.ts';
import type { TraceOptions, Traces } from './traces.ts';

/** The two spans of a recorded call: what the caller asked of us, and what we asked of the server. */
interface Recording {
  readonly server: Span;
  readonly context: Context;
  readonly tracestate: string | null;
  /**
   * Epoch milliseconds, on one clock for both spans: the SDK rounds the beginning of each to the system's millisecond, and a
   * span could end after the one around it.
   */
  readonly now: () => number;
  client: Span | null;
  /** When the answer of the server was there; 0 while it is awaited or streams. */
  answered: number;
}

export function startTraces(options: TraceOptions & { readonly collector: string }): Traces {
  const { ratio, chance = Math.random, collector, addressOf } = options;
  const sdk = startSdk(options);
  const recordings = new WeakMap<Received, Recording>();
  const begin = (record: CallRecord, header: TraceHeader): void => {
    const { parent, ambient } = callerContext(record.params, header);
    // Decided before a span exists, so that a call that is not recorded costs two random ids and no more.
    if (record.dryRun || chance() >= ratio) {
      unrecorded(record, parent);
      return;
    }
    const recording = startServer(sdk.tracer, record, parent, ambient);
    recordings.set(record, recording);
    continueAt(record, recording.server, recording.tracestate);
  };
  const watch: Watch = {
    begin(call, phase) {
      const recording = phase === 'forward' ? recordings.get(call) : undefined;
      if (!recording) return;
      const record = call as CallRecord;
      const at = record.target ? (addressOf?.(record.target.server.id) ?? null) : null;
      const startTime = recording.now();
      const options = { kind: SpanKind.CLIENT, attributes: clientAttributes(record, at), startTime };
      recording.client = sdk.tracer.startSpan(spanName(record), options, recording.context);
      continueAt(record, recording.client, recording.tracestate);
    },
    end(call, phase, refusal) {
      const recording = refusal || phase === 'forward' ? recordings.get(call) : undefined;
      if (!recording) return;
      if (refusal) {
        const facts = { [a.reason]: refusal.refused, [a.phase]: phase };
        recording.server.addEvent(refusalEvent(refusal.refused), facts, recording.now());
      }
      if (phase === 'forward' && (call as CallRecord).answer?.kind !== 'stream') recording.answered = recording.now();
    },
  };
  return {
    collector,
    begin,
    watch,
    record(end) {
      const recording = recordings.get(end.record);
      if (!recording) return;
      recordings.delete(end.record);
      const { server, client, answered } = recording;
      const now = recording.now();
      if (client) {
        const { attributes, status } = clientOutcome(end);
        client
          .setAttributes(attributes)
          .setStatus(status)
          .end(answered === 0 ? now : answered);
      }
      server.updateName(spanName(end.record)).setAttributes(endedAttributes(end)).setStatus(serverStatus(end)).end(now);
    },
    dropped: sdk.dropped,
    close: sdk.close,
  };
}

type Tracer = ReturnType<typeof startSdk>['tracer'];

function startServer(
  tracer: Tracer,
  record: CallRecord,
  parent: TraceParent | null,
  ambient: TraceParent | null,
): Recording {
  const above = parent ? trace.setSpanContext(ROOT_CONTEXT, remote(parent)) : ROOT_CONTEXT;
  const links = ambient ? [{ context: remote(ambient) }] : [];
  const beginning = Date.now() - performance.now();
  const now = (): number => beginning + performance.now();
  const options = { kind: SpanKind.SERVER, attributes: receivedAttributes(record), links, startTime: now() };
  const server = tracer.startSpan(receivedName(record), options, above);
  const tracestate = parent?.tracestate ?? null;
  return { server, context: trace.setSpan(above, server), tracestate, now, client: null, answered: 0 };
}

const remote = ({ traceId, spanId, sampled, tracestate }: TraceParent): SpanContext => ({
  traceId,
  spanId,
  traceFlags: sampled ? 1 : 0,
  isRemote: true,
  ...(tracestate === null ? {} : { traceState: createTraceState(tracestate) }),
});

/** The upstream continues at the innermost span of ours there is. */
function continueAt(record: CallRecord, span: Span, tracestate: string | null): void {
  const { traceId, spanId } = span.spanContext();
  learn(record, { trace: { traceparent: formatTraceparent(traceId, spanId, true), tracestate } });
}

const ids = new RandomIdGenerator();

/** Not recorded, but still one trace: the upstream sees a context of ours with the flag down. */
function unrecorded(record: CallRecord, parent: TraceParent | null): void {
  const traceId = parent?.traceId ?? ids.generateTraceId();
  const traceparent = formatTraceparent(traceId, ids.generateSpanId(), false);
  learn(record, { trace: { traceparent, tracestate: parent?.tracestate ?? null } });
}
