import { type CallEnd, outcomes } from '#gateway/core/call-end.ts';
import { metrics } from '#gateway/core/metric-names.ts';
import type { Reason } from '#gateway/core/refusals.ts';
import type { Recorder } from '#gateway/ports.ts';
import { type Cell, count, createFamily, type Family, observe } from './families.ts';
import { createJudgements } from './judgements.ts';
import { errorType, upstreamErrorType } from './operation.ts';
import { createSlots, type Slot } from './slots.ts';

const operationBounds = metrics.mcp_server_operation_duration_seconds.bounds ?? [];
const overheadBounds = metrics.sekisho_overhead_seconds.bounds ?? [];
const byteBounds = metrics.sekisho_request_bytes.bounds ?? [];

export interface Tally extends Recorder {
  readonly families: readonly Family[];
  /** Time that the gateway itself spent in one phase, in seconds. */
  spent(phase: string, seconds: number): void;
  /** A message that was refused before it became a call. */
  refused(reason: Reason): void;
  /** Lets go of the series of servers that are configured no more. */
  keepServers(living: ReadonlySet<string>): void;
}

/** Counts the ends of calls in plain cells; nothing is written down before somebody asks (see metrics.ts). */
export function createTally(): Tally {
  const durations = createFamily('mcp_server_operation_duration_seconds');
  const upstream = createFamily('mcp_client_operation_duration_seconds');
  const calls = createFamily('sekisho_tool_calls_total');
  const overhead = createFamily('sekisho_overhead_seconds');
  const requestBytes = createFamily('sekisho_request_bytes');
  const responseBytes = createFamily('sekisho_response_bytes');
  const judgements = createJudgements();
  const total = overhead.at('total');
  const slots = createSlots((server) => ({
    requestBytes: requestBytes.at(server),
    responseBytes: responseBytes.at(server),
  }));

  const took = (family: Family, kept: Map<string, Cell>, slot: Slot, error: string, ms: number): void => {
    const cell = kept.get(error) ?? family.at(slot.method, slot.tool, error, slot.server);
    kept.set(error, cell);
    observe(cell, operationBounds, ms / 1000);
  };
  const countCall = (slot: Slot, { outcome }: CallEnd): void => {
    const at = outcomes.indexOf(outcome);
    const cell = slot.calls[at] ?? calls.at(slot.server, slot.tool, slot.category, outcome);
    slot.calls[at] = cell;
    count(cell);
  };

  const families = [durations, upstream, calls, overhead, requestBytes, responseBytes, ...judgements.families];
  return {
    families,
    record(end) {
      const { record, durationMs } = end;
      if (record.dryRun) return;
      const slot = slots.of(record);
      const waited = record.upstreamMs;
      took(durations, slot.durations, slot, errorType(end), durationMs);
      if (waited !== null) took(upstream, slot.upstream, slot, upstreamErrorType(end), waited);
      if (slot.tool !== '') countCall(slot, end);
      observe(slot.requestBytes, byteBounds, record.bytesIn);
      observe(slot.responseBytes, byteBounds, end.bytesOut);
      observe(total, overheadBounds, Math.max(0, durationMs - (waited ?? 0)) / 1000);
      judgements.record(end);
    },
    spent: (phase, seconds) => observe(overhead.at(phase), overheadBounds, seconds),
    refused: judgements.refused,
    keepServers(living) {
      const gone = families.filter((family) => family.keepServers(living));
      if (gone.length > 0) slots.reset();
    },
  };
}
