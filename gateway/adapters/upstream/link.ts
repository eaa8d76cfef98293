import type { Caller } from '#gateway/core/caller-assertion.ts';
import type { Credential, UpstreamNotice } from '#gateway/ports.ts';
import type { Failures } from './failures.ts';
import type { Wire } from './wire.ts';

/** Where this adapter writes what an operator should know; pino fits. */
export interface UpstreamLog {
  debug(about: object, text: string): void;
  warn(about: object, text: string): void;
}

/** What everything that speaks to one server shares. */
export interface Link {
  readonly server: string;
  readonly wire: Wire;
  readonly failures: Failures;
  readonly log: UpstreamLog;
  readonly credential: Credential;
  /** Whose credential that is: what a server says to it concerns all, or one caller. */
  readonly whose: 'gateway' | 'caller';
  /** The same server with the credential of this caller, where each has its own. */
  as(caller: Caller): Link;
  /**
   * JSON-RPC ids, unique among everything ever asked of this server, not only in one session: an answer that reached the
   * wrong request can then never be taken for its own.
   */
  nextId(): number;
  notify(notice: UpstreamNotice): void;
  /** What the last contact showed; told on only when it changes. */
  contact(seen: { readonly kind: 'up' } | { readonly kind: 'down'; readonly why: string }): void;
  /** Work that nobody waits for but `close`. */
  behind(work: Promise<unknown>): void;
}

/** What a session adds to a request: an id if the server gave one, and the revision that was agreed. */
export interface SessionMark {
  readonly id: string | null;
  readonly revision: string;
}

type Headers = Readonly<Record<string, string>>;

/** Those of the POSTs in a session: one frozen object as long as the credential is the same, so that it is written once. */
const posts = new WeakMap<
  Link,
  WeakMap<SessionMark, { readonly credential: string | null; readonly headers: Headers }>
>();

export function headersFor(
  link: Link,
  mark: SessionMark | null,
  accept: 'post' | 'listen' | 'end',
  lastEventId = '',
): Headers {
  if (mark === null || accept !== 'post' || lastEventId !== '') return build(link, mark, accept, lastEventId);
  const ofLink = posts.getOrInsertComputed(link, () => new WeakMap());
  const { value: credential } = link.credential;
  const known = ofLink.get(mark);
  if (known?.credential === credential) return known.headers;
  const headers = Object.freeze(build(link, mark, accept, lastEventId));
  ofLink.set(mark, { credential, headers });
  return headers;
}

/** Built here, member by member: no header of a caller can get in. */
function build(link: Link, mark: SessionMark | null, accept: 'post' | 'listen' | 'end', lastEventId: string): Headers {
  const headers: Record<string, string> = { 'user-agent': 'sekisho', 'accept-encoding': 'identity' };
  if (accept === 'post') {
    headers['content-type'] = 'application/json';
    headers.accept = 'application/json, text/event-stream';
  } else if (accept === 'listen') headers.accept = 'text/event-stream';
  const { value } = link.credential;
  if (value !== null) headers.authorization = `Bearer ${value}`;
  if (mark) headers['mcp-protocol-version'] = mark.revision;
  if (mark?.id) headers['mcp-session-id'] = mark.id;
  if (lastEventId !== '') headers['last-event-id'] = lastEventId;
  return headers;
}
