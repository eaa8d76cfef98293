import type { Received } from '#gateway/core/call.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';

/** What a phase gives back: the call with what it learned, or a refusal; at once or as a promise. */
export type Step<Out> = Out | Refusal | Promise<Out | Refusal>;

/** One step of a pipeline. It names exactly the ports it needs, so its test passes a literal. */
export type Phase<In, Out, Ports> = (call: In, ports: Ports) => Step<Out>;

/** Sees every phase begin and end. Phases hold no telemetry; the runner tells whoever wants to know. */
export interface Watch {
  begin(call: Received, phase: string): void;
  end(call: Received, phase: string, refusal: Refusal | null): void;
}

/** A list of phases that takes `Start` to `End` with the ports `Needs`. Only `begin` and `next` can make one. */
export interface Pipeline<Start, End, Needs> {
  readonly phases: readonly { readonly name: string; readonly run: Phase<never, unknown, never> }[];
  next<Out extends End, Ports>(phase: Phase<End, Out, Ports>): Pipeline<Start, Out, Needs & Ports>;
  /** Type only: ties the list to what it takes and needs, so that two lists cannot be swapped for one another. */
  readonly takes?: (start: Start, needs: Needs) => End;
}

export function begin<Start>(): Pipeline<Start, Start, unknown> {
  return extend<Start, Start, unknown>([]);
}

function extend<Start, End, Needs>(phases: Pipeline<Start, End, Needs>['phases']): Pipeline<Start, End, Needs> {
  return {
    phases,
    next: <Out extends End, Ports>(phase: Phase<End, Out, Ports>) =>
      extend<Start, Out, Needs & Ports>([...phases, { name: phase.name, run: phase as Phase<never, unknown, never> }]),
  };
}

/**
 * Runs a call through a list, top to bottom. It stops at the first refusal, and awaits only what really is a promise.
 * A phase that throws is a fault: it is not caught here, but once, by whoever answers the caller.
 */
export function run<Start extends Received, End, Needs>(
  pipeline: Pipeline<Start, End, Needs>,
  call: Start,
  ports: Needs,
  watch: Watch,
): Step<End> {
  return from(pipeline.phases, 0, call, ports, watch) as Step<End>;
}

function from(
  phases: Pipeline<unknown, unknown, unknown>['phases'],
  first: number,
  start: Received,
  ports: unknown,
  watch: Watch,
): Step<Received> {
  let call = start;
  for (let i = first; i < phases.length; i++) {
    const phase = phases[i];
    if (!phase) break;
    watch.begin(call, phase.name);
    const step = phase.run(call as never, ports as never) as Step<Received>;
    if (step instanceof Promise) {
      return step.then((learned) => {
        watch.end(call, phase.name, isRefusal(learned) ? learned : null);
        return isRefusal(learned) ? learned : from(phases, i + 1, learned, ports, watch);
      });
    }
    if (isRefusal(step)) {
      watch.end(call, phase.name, step);
      return step;
    }
    watch.end(call, phase.name, null);
    call = step;
  }
  return call;
}
