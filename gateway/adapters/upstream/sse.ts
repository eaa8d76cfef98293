import { decodeUtf8 } from '#gateway/core/base64url.ts';
import { createBytes } from './bytes.ts';

export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

export interface SseFlaw {
  readonly sse: string;
}

/** Server-sent events (WHATWG HTML §9.2), bytes in, events out; the bytes may be cut anywhere. */
export interface SseParser {
  push(chunk: Buffer): readonly SseEvent[] | SseFlaw;
  /** Of the last event that was complete, also of one without data; '' when there was none. */
  readonly lastEventId: string;
  /** Milliseconds the server asked to wait before a reconnect, or null. */
  readonly retry: number | null;
}

export const isSseFlaw = (value: readonly SseEvent[] | SseFlaw): value is SseFlaw => 'sse' in value;

const LF = 0x0a;
const CR = 0x0d;

/** An event that is being read: complete at the next empty line. */
interface Pending {
  event: string;
  data: string[];
  id: string | null;
  bytes: number;
}

const nothing = (): Pending => ({ event: '', data: [], id: null, bytes: 0 });

export function createSseParser({ eventBytes }: { readonly eventBytes: number }): SseParser {
  const rest = createBytes();
  let pending = nothing();
  let lastEventId = '';
  let retry: number | null = null;
  let firstLine = true;
  let afterCr = false;

  const endEvent = (events: SseEvent[]): void => {
    if (pending.id !== null) lastEventId = pending.id;
    if (pending.data.length > 0) events.push({ event: pending.event, data: pending.data.join('\n') });
    pending = nothing();
  };

  const takeField = (line: string): void => {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const from = line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1;
    const value = colon < 0 ? '' : line.slice(from);
    if (name === 'data') pending.data.push(value);
    else if (name === 'event') pending.event = value;
    else if (name === 'id' && !value.includes('\0')) pending.id = value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) retry = Number(value);
  };

  /** One line without its end. */
  const takeLine = (bytes: Buffer, events: SseEvent[]): SseFlaw | null => {
    pending.bytes += bytes.length;
    if (pending.bytes > eventBytes) return tooLarge;
    const text = decodeUtf8(bytes);
    if (text === null) return { sse: 'is not valid UTF-8' };
    const line = firstLine && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    firstLine = false;
    if (line === '') endEvent(events);
    else takeField(line);
    return null;
  };

  const push = (chunk: Buffer): readonly SseEvent[] | SseFlaw => {
    const events: SseEvent[] = [];
    let at = afterCr && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) afterCr = false;
    // Each is looked for once and kept until it was passed: a chunk of many lines is still read in one go.
    let lf = chunk.indexOf(LF, at);
    let cr = chunk.indexOf(CR, at);
    while (at < chunk.length) {
      if (lf >= 0 && lf < at) lf = chunk.indexOf(LF, at);
      if (cr >= 0 && cr < at) cr = chunk.indexOf(CR, at);
      const end = lf < 0 || (cr >= 0 && cr < lf) ? cr : lf;
      if (end < 0) {
        rest.append(chunk.subarray(at));
        return pending.bytes + rest.size > eventBytes ? tooLarge : events;
      }
      if (rest.size > 0) rest.append(chunk.subarray(at, end));
      const flaw = takeLine(rest.size > 0 ? rest.take() : chunk.subarray(at, end), events);
      if (flaw) return flaw;
      at = end + 1;
      if (end !== cr) continue;
      if (at === chunk.length) afterCr = true;
      else if (chunk[at] === LF) at++;
    }
    return events;
  };

  return {
    push,
    get lastEventId() {
      return lastEventId;
    },
    get retry() {
      return retry;
    },
  };
}

const tooLarge: SseFlaw = { sse: 'holds an event that is too large' };
