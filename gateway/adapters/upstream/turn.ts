import { metaKeys } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { isMessageId, type MessageId } from '#gateway/core/message.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Exchange, Head } from './http-exchange.ts';
import type { Lifetime } from './lifetime.ts';
import { headersFor, type Link, type SessionMark } from './link.ts';
import { tell } from './tell.ts';

/** One request for a server, and all that bounds it. */
export interface Outgoing {
  readonly method: string;
  readonly params: JsonObject;
  readonly answerBytes: number;
  readonly limits: { readonly firstByte: number; readonly idle: number };
  /** Null for `initialize`, which stands outside of every session and cannot be cancelled. */
  readonly session: SessionMark | null;
  /** The capabilities declared in that session. */
  readonly declared: JsonObject;
  readonly life: Lifetime;
  /** What makes it a request of the modern era: no session, all it needs to be understood in itself. */
  readonly envelope?: Envelope;
  onHead?(head: Head): void;
  /** Called once, when nothing more will come of this answer. */
  done(): void;
}

export interface Envelope {
  /** Beside those that every request has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly meta: JsonObject;
}

/** A request that is under way. */
export interface Turn {
  readonly link: Link;
  readonly out: Outgoing;
  /** Our JSON-RPC id, and our progress token. */
  readonly id: number;
  /** The caller's progress token. */
  readonly token: MessageId | null;
  exchange: Exchange;
  /** Bytes of answer that may still come. */
  left: number;
  /** True when nothing more will be read: all was given back. */
  over: boolean;
}

export interface Begun {
  readonly turn: Turn;
  /** Gives everything back, once; with a refusal, the server is told that nobody waits any more. */
  release(how: 'answered' | Refusal): void;
  /** Lets go of this request without ending the call, which goes on with another. */
  pass(): void;
}

export function beginTurn(link: Link, out: Outgoing): Begun {
  const id = link.nextId();
  const { params: own, token } = withOurToken(out.params, id);
  const params = out.envelope ? { ...own, _meta: { ...metaOf(own), ...out.envelope.meta } } : own;
  const turn: Turn = {
    link,
    out,
    id,
    token,
    left: out.answerBytes,
    over: false,
    exchange: write(link, out, id, params),
  };

  const leave = (): boolean => {
    if (turn.over) return false;
    turn.over = true;
    off();
    return true;
  };
  const release = (how: 'answered' | Refusal): void => {
    if (!leave()) return;
    if (how === 'answered') turn.exchange.discard();
    else {
      turn.exchange.abort(how);
      cancel(turn, how);
    }
    out.life.end();
    out.done();
  };
  const off = out.life.onOver((why) => {
    turn.exchange.abort(why);
    // Later, because it may be over before this has returned.
    queueMicrotask(() => release(why));
  });
  const pass = (): void => {
    if (leave()) turn.exchange.discard();
  };
  return { turn, release, pass };
}

function write(link: Link, out: Outgoing, id: number, params: JsonObject): Exchange {
  return link.wire.open({
    method: 'POST',
    headers: out.envelope
      ? { ...headersFor(link, null, 'post'), ...out.envelope.headers }
      : headersFor(link, out.session, 'post'),
    body: JSON.stringify({ jsonrpc: '2.0', id, method: out.method, params }),
    firstByte: out.limits.firstByte,
    idle: out.limits.idle,
    excused: () => out.life.asking,
  });
}

const metaOf = ({ _meta }: JsonObject): JsonObject => (isJsonObject(_meta) ? _meta : {});

const reserved: readonly string[] = [metaKeys.revision, metaKeys.capabilities, metaKeys.info, metaKeys.logLevel];

/** Our token in the place of the caller's: two callers may have chosen the same one. What only a modern hop needs goes. */
function withOurToken(
  params: JsonObject,
  id: number,
): { readonly params: JsonObject; readonly token: MessageId | null } {
  const meta = params._meta;
  if (!isJsonObject(meta)) return { params, token: null };
  const kept = Object.fromEntries(Object.entries(meta).filter(([name]) => !reserved.includes(name)));
  const token = isMessageId(meta.progressToken) ? meta.progressToken : null;
  if (token !== null) kept.progressToken = id;
  return { params: { ...params, _meta: kept }, token };
}

/**
 * On this era's wire a closed connection is no cancellation, so the server is told. Not when the connection broke by
 * itself: then there is nobody to tell, or nothing left to cancel.
 */
function cancel(turn: Turn, why: Refusal): void {
  const { link, out, id } = turn;
  const broke = why.refused === 'upstream_unreachable' || why.refused === 'upstream_lost';
  if (out.session === null || (broke && out.life.over === null && why !== link.failures.cancelled)) return;
  const params = { requestId: id, reason: why === link.failures.cancelled ? 'the caller left' : why.refused };
  link.behind(tell(link, out.session, { method: 'notifications/cancelled', params }));
}
