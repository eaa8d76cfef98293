import { afterEach, beforeEach } from 'vitest';
import { createTraces, type TraceOptions, type Traces } from '#gateway/adapters/telemetry/traces.ts';
import { type CallRecord, learn } from '#gateway/core/call.ts';
import type { CallEnd } from '#gateway/core/call-end.ts';
import { type Reason, refuse } from '#gateway/core/refusals.ts';
import type { TraceHeader } from '#gateway/core/trace-context.ts';
import { aCall, aRefusedEnd, aTarget, resultAnswer } from './call-ends.ts';
import { silentLog } from './logs.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';

const none: TraceHeader = { traceparent: null, tracestate: null };
export const callerTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
export const callerSpan = '00f067aa0ba902b7';
export const fromCaller = (flags = '01') => `00-${callerTrace}-${callerSpan}-${flags}`;

interface Received {
  readonly server: ReceivedSpan;
  readonly client: ReceivedSpan | null;
  readonly all: ReceivedSpan[];
}

/** A collector for each test of a file, the traces that go there, and calls as the runner would tell of them. */
export class Tracing {
  #collector: OtlpReceiver | null = null;
  #traces: Traces | null = null;

  constructor() {
    beforeEach(async () => {
      this.#collector = await startOtlpReceiver();
    });
    afterEach(async () => {
      await this.#traces?.close();
      await this.#collector?.close();
    });
  }

  get collector(): OtlpReceiver {
    if (!this.#collector) throw new Error('no test runs');
    return this.#collector;
  }

  get traces(): Traces {
    if (!this.#traces) throw new Error('create comes first');
    return this.#traces;
  }

  async create(over: Partial<TraceOptions> = {}): Promise<void> {
    const usual = { endpoint: this.collector.url, ratio: 1, version: '1.2.3', env: {}, log: silentLog() };
    this.#traces = await createTraces({ ...usual, ...over });
  }

  /** One call through the phases. */
  pass(call: CallRecord, header = none): CallRecord {
    const { traces } = this;
    traces.begin(call, header);
    traces.watch?.begin(call, 'authenticate');
    traces.watch?.end(call, 'authenticate', null);
    return call;
  }

  forward(call: CallRecord): CallRecord {
    learn(call, { target: call.target ?? aTarget() });
    this.traces.watch?.begin(call, 'forward');
    learn(call, { answer: resultAnswer() });
    this.traces.watch?.end(call, 'forward', null);
    return call;
  }

  refused(reason: Reason, phase: string): CallEnd {
    const call = this.pass(aCall());
    this.traces.watch?.end(call, phase, refuse(reason));
    const end = aRefusedEnd(reason, { call });
    this.traces.record(end);
    return end;
  }

  /** What the collector got, when all was sent. */
  async received(): Promise<Received> {
    await this.traces.close();
    const { spans } = this.collector;
    const server = spans.find(({ kind }) => kind === 'server');
    if (!server) throw new Error('the collector got no SERVER span');
    return { server, client: spans.find(({ kind }) => kind === 'client') ?? null, all: spans };
  }
}
