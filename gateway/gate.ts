import type { Authenticated, CallRecord, Received, Reserved } from '#gateway/core/call.ts';
import { endingOutcome, type Outcome } from '#gateway/core/call-end.ts';
import type { Ending } from '#gateway/core/exchange.ts';
import { isMethod, type Method } from '#gateway/core/methods.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Snapshot } from '#gateway/core/snapshot.ts';
import type { TraceHeader } from '#gateway/core/trace-context.ts';
import { settle } from '#gateway/phases/reserve.ts';
import { run, type Step, type Watch } from '#gateway/pipeline.ts';
import { pipelines, toolDecision, whoAsks } from '#gateway/pipelines.ts';
import type { Gate, Log, PhasePorts, Recorder } from '#gateway/ports.ts';

export interface GateParts {
  readonly current: () => Snapshot;
  readonly ports: PhasePorts;
  readonly watch: Watch;
  /** Told of each call before its first phase; may put a trace context on it. */
  readonly begin: (call: CallRecord, header: TraceHeader) => void;
  readonly recorders: readonly Recorder[];
  /** False while a call could not be recorded: then none may pass. */
  readonly recordable: () => boolean;
  readonly log: Log;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
}

/** The program, as the edge uses it: calls through the lists of pipelines.ts, and the end of each, recorded once. */
export function createGate(parts: GateParts): Gate {
  return {
    snapshot: parts.current,
    pass(call, header) {
      call.began = parts.clock();
      parts.begin(call, header);
      if (!parts.recordable()) return refuse('overloaded', 'The audit log cannot be written, so no call may pass.');
      const method = call.method;
      if (!isMethod(method, 'legacy') && !isMethod(method, 'modern')) return refuse('method_unknown');
      const list = pipelines[method as Method];
      return guarded(parts.log, call, () => run(list, call, parts.ports, parts.watch));
    },
    identify: (call) =>
      guarded<Authenticated>(parts.log, call, () => run(whoAsks, call as Received, parts.ports, parts.watch)),
    decide: (call) =>
      guarded<Reserved>(parts.log, call, () => run(toolDecision, call as Received, parts.ports, unwatched)),
    record(call, ending, sent) {
      settle(call, sent.bytes, parts.ports);
      // What was refused before it could enter took no time here.
      const durationMs = call.began === 0 ? 0 : parts.clock() - call.began;
      const refusal = ending?.kind === 'refusal' ? ending.refusal : null;
      const { errorCode, bytes: bytesOut, left } = sent;
      const end = { record: call, outcome: outcomeOf(ending), refusal, durationMs, errorCode, bytesOut, left };
      for (const recorder of parts.recorders) recorder.record(end);
    },
  };
}

const unwatched: Watch = { begin: () => undefined, end: () => undefined };

const outcomeOf = (ending: Ending | null): Outcome => (ending === null ? 'cancelled' : endingOutcome(ending));

/** The one place where a fault of a phase is caught: its cause goes to the log, and the door is closed on the call. */
function guarded<Out>(log: Log, call: CallRecord, work: () => Step<Out>): Step<Out> {
  const fault = (cause: unknown): Refusal => {
    log.error({ fault: cause, call: call.call, method: call.method }, 'a fault in the pipeline');
    return refuse('fault');
  };
  try {
    const step = work();
    return step instanceof Promise ? step.catch(fault) : step;
  } catch (cause) {
    return fault(cause);
  }
}
