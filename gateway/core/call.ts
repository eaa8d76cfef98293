import type { ApprovalState } from './approval.ts';
import type { Reservation } from './budget.ts';
import type { Allowed, Ask } from './decision.ts';
import type { Presented } from './dpop.ts';
import type { Answer, Client, Given } from './exchange.ts';
import type { Facts } from './facts.ts';
import type { MessageHeaders } from './header-agreement.ts';
import type { JsonObject } from './json.ts';
import type { Departure } from './leaving.ts';
import type { MessageId } from './message.ts';
import type { Identity } from './principal.ts';
import type { Snapshot, Target, View } from './snapshot.ts';
import type { Task } from './tasks.ts';

/**
 * The states of a call, each a type that extends the one before. At run time they are one record, created once with
 * every slot and filled as it goes: the types prove the order, the object costs nothing.
 */
export interface Received {
  /** Ours, a UUID: the id of the record, of an approval's origin, of the decision. */
  readonly call: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Null when the message could not be read so far. */
  readonly id: MessageId | null;
  readonly method: string;
  readonly params: JsonObject;
  readonly client: Client;
  readonly view: View;
  readonly snapshot: Snapshot;
  readonly token: string | null;
  /** What came beside a token of the scheme DPoP; null for every other. */
  readonly proof: Presented | null;
  readonly session: Session | null;
  /** What headers say of the arguments; null in the legacy era, where nobody looks at them. */
  readonly paramHeaders: MessageHeaders['params'] | null;
  readonly bytesIn: number;
  /** Filled by telemetry before `forward`: the trace context that the upstream continues. */
  readonly trace: CallTrace | null;
  /** Fires when nobody wants the answer any more. Only the edge fires it. */
  readonly signal: Departure;
  /** True for the decision API: nothing may be written or sent. */
  readonly dryRun: boolean;
}

export interface Authenticated extends Received {
  readonly identity: Identity;
}

export interface Routed extends Authenticated {
  /** The tool, prompt, template or resource; of a task, the tool that began it. */
  readonly target: Target;
  /** Null for everything that is not about a task. */
  readonly task: Task | null;
}

export interface Classified extends Routed {
  /** The arguments as one judged and forwarded value. */
  readonly args: JsonObject;
  readonly argsBytes: number;
  readonly facts: Facts;
  /** What is sent back to a server that had asked, by the keys of its questions; null for a call that begins. */
  readonly responses: JsonObject | null;
}

export interface Authorized extends Classified {
  readonly decision: Allowed | Ask;
}

/** Its tool is what was approved, as far as that can be known before it is called. */
export interface Confirmed extends Authorized {
  readonly confirmed: true;
}

/** Here the decision is the proof: `Allowed` can only be made in decision.ts. */
export interface Approved extends Confirmed {
  readonly permit: Allowed;
  readonly approval: {
    readonly id: string;
    readonly state: ApprovalState;
    readonly by: string;
    /** Epoch milliseconds until which the call may go on with it, once its server has asked for something. */
    readonly until: number;
  } | null;
}

export interface Reserved extends Approved {
  readonly reservation: Reservation;
}

export interface Answered extends Reserved {
  readonly answer: Given;
}

export interface Inspected extends Answered {
  readonly inspected: true;
}

/** A list: what of the view this caller may use. */
export interface Listed extends Authenticated {
  readonly answer: Answer;
}

/** The end of every list: something to say. */
export type Answerable = Authenticated & { readonly answer: Answer };

/** What a legacy client's session id was sealed over. Only the run that opened it may use it. */
export interface Session {
  /** Random, unguessable; the sealed id itself is longer. */
  readonly id: string;
  readonly principal: string;
  readonly run: string;
  readonly view: string;
  readonly client: Client;
  /** Epoch milliseconds. */
  readonly opened: number;
}

/**
 * All slots, in the order they are filled; null until then. `began` is when it entered the gate, on the gate's clock, in
 * milliseconds.
 */
export type CallRecord = Received & {
  [Slot in Exclude<keyof Inspected, keyof Received>]: Inspected[Slot] | null;
} & { upstreamMs: number | null } & { began: number };

/** What tracing wants to hang on a call; filled by telemetry, read by `forward`. */
export interface CallTrace {
  /** The context that the upstream should continue, as W3C Trace Context. */
  readonly traceparent: string;
  readonly tracestate: string | null;
}

export function createCall(received: Received): CallRecord {
  return {
    call: received.call,
    at: received.at,
    id: received.id,
    method: received.method,
    params: received.params,
    client: received.client,
    view: received.view,
    snapshot: received.snapshot,
    token: received.token,
    proof: received.proof,
    session: received.session,
    paramHeaders: received.paramHeaders,
    bytesIn: received.bytesIn,
    trace: received.trace,
    signal: received.signal,
    dryRun: received.dryRun,
    identity: null,
    target: null,
    task: null,
    args: null,
    argsBytes: null,
    facts: null,
    responses: null,
    decision: null,
    confirmed: null,
    permit: null,
    approval: null,
    reservation: null,
    answer: null,
    inspected: null,
    upstreamMs: null,
    began: 0,
  };
}

/** Fills slots of the record and gives back the same object as the next state. */
export const learn = <State extends Received, Learned extends object>(call: State, learned: Learned): State & Learned =>
  Object.assign(call, learned);
