import type { Approval, ApprovalAnswer, ApprovalRequest } from '#gateway/core/approval.ts';
import type { BudgetLimits, Cost, Reservation, Spending } from '#gateway/core/budget.ts';
import type { Answerable, Authenticated, CallRecord, Received, Reserved, Session } from '#gateway/core/call.ts';
import type { CallEnd } from '#gateway/core/call-end.ts';
import type { Answer, Client, Ending, Resumed } from '#gateway/core/exchange.ts';
import type { HeaderMirror } from '#gateway/core/header-mirrors.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Leaving } from '#gateway/core/leaving.ts';
import type { Definitions } from '#gateway/core/manifest.ts';
import type { News } from '#gateway/core/news.ts';
import type { Rates } from '#gateway/core/rates.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Box } from '#gateway/core/request-state.ts';
import type { Seats } from '#gateway/core/seats.ts';
import type { Shares } from '#gateway/core/shares.ts';
import type { Limits, Snapshot } from '#gateway/core/snapshot.ts';
import type { Subscribed } from '#gateway/core/subscribed.ts';
import type { Taint } from '#gateway/core/taint.ts';
import type { TraceHeader } from '#gateway/core/trace-context.ts';
import type { Halting, Proofs, Revocations, Tokens } from './ports/identity.ts';
import type { Lookout } from './ports/trust.ts';

/** Digests of texts. `sha256` is base64url without padding. */
export interface Hashing {
  sha256(text: string): string;
}

/** The store of approvals: durable before it answers. */
export interface Approvals {
  /**
   * Looks for an approval of exactly this call. An approved one is consumed by being found; a pending one is named; when
   * there is none, a new pending one is written. One transaction, so that of two repeated calls only one is granted.
   */
  consume(request: ApprovalRequest): ApprovalAnswer;
  /** The server of the call that consumed it asked for something: the leg that follows may go on with it, until then. */
  hold(id: string, leg: string, until: number): void;
  /** True once, for the leg that follows this one. */
  resume(id: string, leg: string, now: number): boolean;
  list(state: Approval['state'] | null, now: number): readonly Approval[];
  find(id: string, now: number): Approval | null;
  /**
   * Moves a pending approval on; says what it had become instead when it was pending no more, and `requester` when the
   * policy wants somebody else than who asked.
   */
  decide(
    id: string,
    verdict: { readonly state: 'approved' | 'declined'; readonly by: string; readonly why: string | null },
    now: number,
  ): 'decided' | 'requester' | 'unknown' | Approval['state'];
}

/** What runs may spend. Taken before the call, settled after it; what was taken survives a kill -9. */
export interface Budgets {
  reserve(run: string, cost: Cost, limits: BudgetLimits): Reservation | 'spent';
  settle(reservation: Reservation, spent: Cost): void;
  spending(run: string, limits: BudgetLimits): Spending;
}

/** What runs have read. Durable before it answers; what was said once is never taken back. */
export interface Taints {
  of(run: string): Taint;
  /** False where the run would have more words than it may: then none of these was added. */
  add(run: string, taint: Taint, now: number): boolean;
}

/** How many calls are under way at one server. */
export interface Inflight {
  enter(server: string, atMost: number): boolean;
  leave(server: string): void;
}

/** One message for an upstream, in the canonical form: names as the upstream knows them, nothing of the caller's hop. */
export interface UpstreamCall {
  readonly server: string;
  readonly method: string;
  readonly params: JsonObject;
  readonly client: Client;
  /** What of the arguments a modern server wants to see in headers, too. */
  readonly mirrors: readonly HeaderMirror[];
  /** What the call goes on with, when the server asked for something before. */
  readonly resumed: Resumed | null;
  /** Who shares an upstream session: never two principals. */
  readonly run: string;
  readonly principal: string;
  readonly limits: Limits;
  /** Bytes of answer at most: the server's cap, narrowed by obligations. */
  readonly answerBytes: number;
  readonly signal: Leaving;
}

/** The network end of all servers. Says "no" with `upstream_…` and `answer_too_large`; throws only for faults. */
export interface Upstreams {
  send(call: UpstreamCall): Promise<Answer>;
}

/** What one server serves right now. */
export interface Live {
  readonly definitions: Definitions;
  readonly resources: readonly JsonObject[];
  readonly capabilities: JsonObject;
}

/** What a server tells us without being asked. */
export type UpstreamNotice =
  | { readonly kind: 'changed'; readonly what: 'tools' | 'prompts' | 'resources' }
  | { readonly kind: 'updated'; readonly uri: string }
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly why: string };

/** The gateway's own credential at one server: what it sends behind "Bearer". Never the caller's. */
export interface Credential {
  /** What to send; null for nothing. */
  readonly value: string | null;
  /** Null when `value` may be sent as it is; else it is being fetched, and a refusal says why it cannot be had. */
  ready(): Promise<Refusal | null> | null;
  /** The server did not take this value (HTTP 401). True when `ready` may bring another. */
  rejected(value: string | null): boolean;
}

/** One server's network end: streamable HTTP or a child process. */
export interface Upstream {
  send(call: UpstreamCall): Promise<Answer>;
  /** All pages of what it lists, or why it could not be asked. */
  live(): Promise<Live | Refusal>;
  /** Ends connections, sessions and children; resolves when they are gone. */
  close(): Promise<void>;
}

/** Takes the end of every call, exactly once. */
export interface Recorder {
  record(end: CallEnd): void;
}

/** Sessions of the older era, as this replica knows them. */
export interface Sessions {
  /**
   * The session was heard of by who opened it, and a request is under way in it until its answer has left. Refused where it
   * is over, or has that request already.
   */
  enter(session: Session, call: Pick<Received, 'id' | 'at' | 'signal'>): Refusal | null;
  /** What it is told of; null when it is over. */
  subscribed(session: Session): Subscribed | null;
}

/** All that the phases ask for, together. */
export interface PhasePorts {
  readonly tokens: Tokens;
  readonly proofs: Proofs;
  readonly revocations: Pick<Revocations, 'find'>;
  readonly hashing: Hashing;
  readonly lookout: Lookout;
  readonly approvals: Approvals;
  readonly budgets: Budgets;
  readonly taints: Taints;
  readonly runBudget: BudgetLimits;
  readonly inflight: Inflight;
  readonly rates: Rates;
  readonly halting: Halting;
  readonly logsDecisions: boolean;
  readonly upstreams: Upstreams;
  readonly box: Box;
  readonly news: News;
  /** Who listens. */
  readonly seats: Seats;
  /** What servers were told to tell of, by the calls that told them. */
  readonly subscriptions: Shares<Reserved>;
  /** Who is subscribed in sessions. */
  readonly subscribers: Seats;
  readonly sessions: Sessions;
}

/** The program as its edge sees it. */
export interface Gate {
  /** The snapshot that a call which arrives now begins with and ends on. */
  snapshot(): Snapshot;
  /**
   * Takes the call through the list of its method. Never throws: a fault is logged and comes back as `fault`. The header
   * is the trace context of the HTTP request, for callers that send none in the message.
   */
  pass(call: CallRecord, header: TraceHeader): MaybePromise<Answerable | Refusal>;
  /** Only who asks, for what is no call: streams, sessions, notifications, replies. */
  identify(call: CallRecord): MaybePromise<Authenticated | Refusal>;
  /** The decision API: a tool call through its list, with nothing written, sent or counted. */
  decide(call: CallRecord): MaybePromise<Reserved | Refusal>;
  /** The end of a call: its answer's last byte left, or (null) the client did. */
  record(call: CallRecord, ending: Ending | null, sent: Sent): void;
}

/** What of an answer left. */
export interface Sent {
  readonly bytes: number;
  /** The JSON-RPC code, when it was an error. */
  readonly errorCode: number | null;
  /** The client had left before its answer was there. */
  readonly left: boolean;
}

export type MaybePromise<T> = T | Promise<T>;

/** What the gateway says about itself, to the people who run it. Never a secret, never an argument or an answer. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
