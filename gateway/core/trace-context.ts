import type { CallTrace } from './call.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** A caller's place in a trace, read from W3C Trace Context. What is malformed is as if it were not there. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** The caller's flag. It says what the caller does, and never what we must do. */
  readonly sampled: boolean;
  readonly tracestate: string | null;
}

/** The HTTP headers of these names, as they came. */
export interface TraceHeader {
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const longestParent = 256;
const longestState = 512;
const mostMembers = 32;
const member = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,256}$/;

export function readTraceparent(traceparent: unknown, tracestate: unknown): TraceParent | null {
  if (typeof traceparent !== 'string' || traceparent.length > longestParent) return null;
  const [, version, traceId = '', spanId = '', flags = '', rest] = shape.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, tracestate: readTracestate(tracestate) };
}

function readTracestate(tracestate: unknown): string | null {
  if (typeof tracestate !== 'string' || tracestate === '' || tracestate.length > longestState) return null;
  const members = tracestate.split(',').map((part) => part.trim());
  const fits = members.length <= mostMembers && members.every((part) => part === '' || member.test(part));
  return fits ? members.filter((part) => part !== '').join(',') || null : null;
}

/** Where the call came from: `_meta` first (SEP-414), then the HTTP header, which belongs to the hop (Envoy #2487). */
export function callerContext(
  params: JsonObject,
  header: TraceHeader,
): { readonly parent: TraceParent | null; readonly ambient: TraceParent | null } {
  const meta = isJsonObject(params._meta) ? params._meta : null;
  const own = meta ? readTraceparent(meta.traceparent, meta.tracestate) : null;
  const ambient = readTraceparent(header.traceparent, header.tracestate);
  return own ? { parent: own, ambient } : { parent: ambient, ambient: null };
}

export const formatTraceparent = (traceId: string, spanId: string, sampled: boolean): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/** Of a traceparent that we made or read. */
export const traceIdOf = (trace: CallTrace): string => trace.traceparent.slice(3, 35);

/** The caller's own context, to be handed on when we take no part in the trace. */
export const passedOn = ({ traceId, spanId, sampled, tracestate }: TraceParent): CallTrace => ({
  traceparent: formatTraceparent(traceId, spanId, sampled),
  tracestate,
});
