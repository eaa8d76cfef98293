import { type CallRecord, learn } from '#gateway/core/call.ts';
import { callerContext, passedOn, type TraceHeader } from '#gateway/core/trace-context.ts';
import type { Watch } from '#gateway/pipeline.ts';
import type { Log, Recorder } from '#gateway/ports.ts';

export interface TraceOptions {
  /** The collector that the config names; the environment's goes before it. */
  readonly endpoint: string | null;
  /** The share of calls that is recorded, 0 to 1. Nothing a caller sends changes it. */
  readonly ratio: number;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Where a server is, when that is known. */
  readonly addressOf?: (server: string) => { readonly address: string; readonly port: number } | null;
  /** A number from 0 up to 1. */
  readonly chance?: () => number;
}

export interface Traces extends Recorder {
  /** Where spans go; null while tracing is off. */
  readonly collector: string | null;
  /** When a message arrived: sets `record.trace`, so that every record of the call can name its trace. */
  begin(record: CallRecord, header: TraceHeader): void;
  /** Null while tracing is off. */
  readonly watch: Watch | null;
  dropped(): number;
  /** Sends what is queued, as far as the collector takes it within three seconds. */
  close(): Promise<void>;
}

/** Traces, if anyone wants them. The SDK is loaded only then: it would double the time the gateway takes to start. */
export async function createTraces(options: TraceOptions): Promise<Traces> {
  const collector = collectorUrl(options);
  if (collector === null) return off;
  if (!/^https?:$/.test(URL.parse(collector)?.protocol ?? '')) {
    options.log.error({ setting: 'OTLP endpoint' }, 'traces are off: the endpoint is not an http(s) URL');
    return off;
  }
  const { startTraces } = await import('./tracer.ts');
  return startTraces({ ...options, collector });
}

/** The standard variables of OpenTelemetry; traces are always sent as JSON over HTTP. */
export function collectorUrl({ endpoint, env }: Pick<TraceOptions, 'endpoint' | 'env'>): string | null {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER?.trim() === 'none')
    return null;
  const exact = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  if (exact) return exact;
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || endpoint;
  if (!base) return null;
  return /\/v1\/traces\/?$/.test(base) ? base : `${base.replace(/\/+$/, '')}/v1/traces`;
}

/** We take no part, so the upstream is a sibling of nobody: it continues what the caller began. */
const off: Traces = {
  collector: null,
  watch: null,
  begin(record, header) {
    const { parent } = callerContext(record.params, header);
    learn(record, { trace: parent ? passedOn(parent) : null });
  },
  record: () => {},
  dropped: () => 0,
  close: async () => {},
};
