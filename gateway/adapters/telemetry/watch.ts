import type { CallRecord, Received } from '#gateway/core/call.ts';
import type { Watch } from '#gateway/pipeline.ts';
import type { Recorder } from '#gateway/ports.ts';

/**
 * One phase in 61 is timed: two clock readings at each of eight phases would be more than some of the phases cost. 61 is
 * prime, so that a list of any length is sampled evenly all over and not always at the same place.
 */
const oneIn = 61;
/** Samples under way; a phase that throws never ends, and its sample is overwritten in time. */
const most = 16;

interface Sample {
  call: Received | null;
  phase: string;
  began: number;
}

export interface WatchParts {
  /** Time that the gateway itself spent in one phase, in seconds. */
  readonly spent: (phase: string, seconds: number) => void;
  /** Told of every phase; null while tracing is off. */
  readonly traces: Watch | null;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
}

/**
 * Watches the phases: fills `upstreamMs`, times a few of the phases, and passes on to the traces. `upstreamMs` of a
 * stream lasts to the end of the call, so this has to be the first of the recorders: the others read it.
 */
export function createWatch({ spent, traces, clock }: WatchParts): Watch & Recorder {
  const waiting = new Map<Received, number>();
  const samples: Sample[] = Array.from({ length: most }, () => ({ call: null, phase: '', began: 0 }));
  let until = oneIn;
  let next = 0;
  let open = 0;

  const startSample = (call: Received, phase: string): void => {
    until = oneIn;
    const sample = samples[next];
    next = (next + 1) % most;
    if (!sample) return;
    if (!sample.call) open++;
    sample.call = call;
    sample.phase = phase;
    sample.began = clock();
  };
  const endSample = (call: Received, phase: string): void => {
    const sample = samples.find((one) => one.call === call && one.phase === phase);
    if (!sample) return;
    spent(phase, (clock() - sample.began) / 1000);
    sample.call = null;
    open--;
  };
  const answered = (record: CallRecord): void => {
    const began = waiting.get(record);
    if (began === undefined) return;
    record.upstreamMs = clock() - began;
    waiting.delete(record);
  };

  return {
    begin(call, phase) {
      if (phase === 'forward') waiting.set(call, clock());
      else if (--until === 0) startSample(call, phase);
      traces?.begin(call, phase);
    },
    end(call, phase, refusal) {
      // What the runner is given as one state of a call is the record of all of them.
      const record = call as CallRecord;
      if (phase === 'forward' && record.answer?.kind !== 'stream') answered(record);
      if (open > 0) endSample(call, phase);
      traces?.end(call, phase, refusal);
    },
    record: (end) => answered(end.record),
  };
}
