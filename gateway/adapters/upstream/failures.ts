import { errors } from 'undici';
import { connectionFault } from '#gateway/core/connection-faults.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { showSize } from '#gateway/core/units.ts';
import { aboutOf } from '#gateway/core/upstream-status.ts';

/** The sentences of this adapter. None repeats what the server wrote: that text is not ours to vouch for. */
export interface Failures {
  /** `error` came before a connection stood. */
  unreachable(error: unknown): Refusal;
  /** `error` came after the request was written. */
  broken(error: unknown): Refusal;
  timeout(what: string, ms: number): Refusal;
  tooLarge(limit: number): Refusal;
  invalid(what: string, data?: Readonly<Record<string, unknown>>): Refusal;
  status(status: number): Refusal;
  lost(what: string): Refusal;
  readonly cancelled: Refusal;
  /** The server does not know a session that it gave; compared by identity. */
  readonly gone: Refusal;
  readonly closed: Refusal;
  /** What came is not HTTP. */
  readonly garbled: Refusal;
}

export function createFailures(server: string): Failures {
  const name = `Server "${server}"`;
  const garbled = refuse('upstream_invalid', `${name} answered something that is not HTTP.`);
  return {
    unreachable: (error) => refuse('upstream_unreachable', `${name} cannot be reached: ${connectionFault(error)}.`),
    broken(error) {
      return error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError
        ? garbled
        : refuse('upstream_lost', `${name} broke off before its answer was complete: ${connectionFault(error)}.`);
    },
    timeout: (what, ms) =>
      refuse('upstream_timeout', `${name} ${what} within ${ms / 1000} s; the call was cancelled there.`, { ms }),
    tooLarge: (limit) => refuse('answer_too_large', tooLargeText(name, limit), { limit }),
    invalid: (what, data = {}) => refuse('upstream_invalid', `${name} ${what}.`, data),
    status: (status) => statusRefusal(name, status),
    lost: (what) => refuse('upstream_lost', `${name} ${what}.`),
    cancelled: refuse('upstream_lost', `The call was cancelled before ${name.replace('S', 's')} had answered.`),
    gone: refuse('upstream_invalid', `${name} does not know the session that it has just given.`),
    closed: refuse('upstream_unreachable', 'The gateway is closing its connections.'),
    garbled,
  };
}

function tooLargeText(name: string, limit: number): string {
  const may = `${name} may answer with ${showSize(limit)} (${limit} bytes) at most, and this answer is larger.`;
  return `${may} Ask for less: fewer rows, a narrower query, or one page at a time.`;
}

function statusRefusal(name: string, status: number): Refusal {
  const data = { status };
  const about = aboutOf(status);
  if (about === 'place') {
    const how = 'Redirects are not followed: configure the URL it really has.';
    return refuse('upstream_invalid', `${name} redirects (HTTP ${status}). ${how}`, data);
  }
  if (about === 'credential') {
    return refuse('upstream_unreachable', `${name} does not accept the gateway's credential (HTTP ${status}).`, data);
  }
  if (about === 'moment') {
    return refuse('upstream_unreachable', `${name} cannot answer now (HTTP ${status}).`, data);
  }
  return refuse('upstream_invalid', `${name} answered HTTP ${status}, which MCP does not know here.`, data);
}
