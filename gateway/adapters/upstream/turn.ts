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
  /** Null for `initialize`, which cannot be cancelled, and in the newer era, where closing the connection cancels. */
  readonly session: SessionMark | null;
  /** The capabilities declared in that session. */
  readonly declared: JsonObject;
  readonly life: Lifetime;
  /** True when a question that was not declared ends the call in words of its own, instead of being answered here. */
  readonly everyQuestion?: boolean;
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
export class Turn {
  readonly link: Link;
  readonly out: Outgoing;
  /** Our JSON-RPC id, and our progress token. */
  readonly id: number;
  /** The caller's progress token. */
  readonly token: MessageId | null;
  exchange: Exchange;
  /** The credential that it was sent with. */
  readonly credential: string | null;
  /** Bytes of answer that may still come. */
  left: number;
  /** True when nothing more will be read: all was given back. */
  over = false;
  readonly #off: () => void;

  constructor(link: Link, out: Outgoing) {
    this.link = link;
    this.out = out;
    this.id = link.nextId();
    this.left = out.answerBytes;
    const { params, token } = withOurToken(out.params, this.id);
    this.token = token;
    const all = out.envelope ? { ...params, _meta: { ...metaOf(params), ...out.envelope.meta } } : params;
    this.credential = link.credential.value;
    this.exchange = write(link, out, this.id, all);
    this.#off = out.life.onOver((why) => {
      this.exchange.abort(why);
      // Later, because it may be over before this has returned.
      queueMicrotask(() => this.release(why));
    });
  }

  /** Gives everything back, once; with a refusal, the server is told that nobody waits any more. */
  release(how: 'answered' | Refusal): void {
    if (!this.#leave()) return;
    if (how === 'answered') this.exchange.discard();
    else {
      this.exchange.abort(how);
      cancel(this, how);
    }
    this.out.life.end();
    this.out.done();
  }

  /** Lets go of this request without ending the call, which goes on with another. */
  pass(): void {
    if (this.#leave()) this.exchange.discard();
  }

  #leave(): boolean {
    if (this.over) return false;
    this.over = true;
    this.#off();
    return true;
  }
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

/** Our token in the place of the caller's: two callers may have chosen the same one. */
function withOurToken(
  params: JsonObject,
  id: number,
): { readonly params: JsonObject; readonly token: MessageId | null } {
  const meta = params._meta;
  const token = isJsonObject(meta) && isMessageId(meta.progressToken) ? meta.progressToken : null;
  if (!isJsonObject(meta) || token === null) return { params, token: null };
  return { params: { ...params, _meta: { ...meta, progressToken: id } }, token };
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
