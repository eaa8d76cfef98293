import { isJsonObject } from '#gateway/core/json.ts';
import type { MessageId, Request, RpcError } from '#gateway/core/message.ts';
import { refusals } from '#gateway/core/refusals.ts';
import { errorIn, finish, isAnswerTo, messagesOf, type Received } from './answer.ts';
import { type Incoming, mirrored, ownRevision } from './incoming.ts';
import type { Answer, Link } from './link.ts';
import { createMirrors } from './mirrors.ts';
import type { Outgoing } from './outgoing.ts';
import { isTrouble, type Trouble } from './passes.ts';
import type { Session } from './session.ts';
import { lost } from './wire.ts';

/** The host's requests that are under way; each is answered exactly once, unless the host cancels it. */
export interface Calls {
  /** Resolves when it was answered. */
  serve(incoming: Incoming, request: Request): Promise<void>;
  cancel(id: MessageId): void;
  /** Resolves when every request was answered. */
  settled(): Promise<void>;
  end(): void;
}

/** The gateway's error. */
interface Refused {
  readonly refused: RpcError;
}

const mostAtOnce = 1_000;

export function createCalls(options: {
  readonly link: Link;
  readonly session: Session;
  readonly outgoing: Outgoing;
}): Calls {
  const { link, session, outgoing } = options;
  const underWay = new Map<MessageId, { readonly controller: AbortController; readonly answered: Promise<void> }>();
  const open = new Set<AbortController>();
  const mirrors = createMirrors(link);

  async function send({ line, message }: Incoming, signal: AbortSignal): Promise<Answer | Trouble> {
    const post = (headers: Record<string, string>) => link({ method: 'POST', body: line, headers, signal });
    const revision = ownRevision(message);
    if (revision !== null) {
      const ofArguments = message.kind === 'request' ? mirrors.headers(message) : {};
      return post({ ...mirrored(message, revision), ...ofArguments });
    }
    if (message.kind === 'request' && message.method === 'initialize') return post({});
    if (!session.isOpen()) {
      const trouble = await session.reopen(session.generation);
      if (trouble) return trouble;
    }
    const { generation } = session;
    const headers = session.headers();
    const answer = await post(headers);
    if (isTrouble(answer) || answer.statusCode !== 404 || !('mcp-session-id' in headers)) return answer;
    await finish(answer);
    return (await session.reopen(generation)) ?? post(session.headers());
  }

  /** An answer to read on, or what the gateway said instead of one. */
  async function ask(incoming: Incoming, signal: AbortSignal): Promise<Answer | Trouble | Refused> {
    const answer = await send(incoming, signal);
    if (isTrouble(answer) || answer.statusCode === 200) return answer;
    return { refused: (await errorIn(answer)) ?? { code: refusals.fault.code, message: said(answer.statusCode) } };
  }

  /** Asks, and once more when the gateway missed headers that it can now be given. */
  async function askWell(incoming: Incoming, request: Request, signal: AbortSignal) {
    const answer = await ask(incoming, signal);
    const revision = ownRevision(request);
    const missed = 'refused' in answer && answer.refused.code === refusals.header_mismatch.code;
    if (!missed || revision === null || !(await mirrors.learn(request, revision, signal))) return answer;
    return ask(incoming, signal);
  }

  /** Passes on all that belongs to one request; `answered` is called when its answer was written. */
  async function relay(incoming: Incoming, request: Request, signal: AbortSignal, answered: () => void) {
    const { id, method } = request;
    const answer = await askWell(incoming, request, signal);
    if (isTrouble(answer)) return outgoing.trouble(id, answer);
    if ('refused' in answer) return outgoing.fail(id, answer.refused);
    let done = false;
    for await (const received of messagesOf(answer)) {
      const mine = isAnswerTo(received.message, id);
      if ((mine && done) || !(mine || isFromServer(received))) continue;
      const result = received.message?.result;
      if (mine && method === 'initialize' && isJsonObject(result)) session.opened(answer, result);
      outgoing.pass(received.text);
      if (mine) answered();
      done ||= mine;
    }
    if (!done) throw new Error('it ended without an answer');
  }

  function serve(incoming: Incoming, request: Request): Promise<void> {
    const { id } = request;
    if (underWay.has(id)) return Promise.resolve(outgoing.fail(id, { code: -32600, message: 'This id is in use.' }));
    if (underWay.size >= mostAtOnce) {
      const { code, says } = refusals.overloaded;
      return Promise.resolve(outgoing.fail(id, { code, message: says }));
    }
    if (request.method === 'initialize') session.begin(incoming);
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const answered = (): void => {
      if (underWay.get(id)?.controller === controller) underWay.delete(id);
      resolve();
    };
    // A subscription is answered when it is over: nobody waits for that.
    const awaited = request.method !== 'subscriptions/listen';
    underWay.set(id, { controller, answered: awaited ? promise : Promise.resolve() });
    open.add(controller);
    relay(incoming, request, controller.signal, answered)
      .catch((error: unknown) => {
        const isOpen = underWay.get(id)?.controller === controller && !controller.signal.aborted;
        if (isOpen) outgoing.trouble(id, lost(error instanceof Error ? error.message : 'unknown'));
      })
      .finally(() => {
        open.delete(controller);
        answered();
      });
    return promise;
  }

  return {
    serve,
    cancel: (id) => underWay.get(id)?.controller.abort(),
    async settled() {
      await Promise.all([...underWay.values()].map((call) => call.answered));
    },
    end() {
      for (const controller of open) controller.abort();
    },
  };
}

const isFromServer = ({ message }: Received): boolean => message !== null && typeof message.method === 'string';

const said = (status: number): string =>
  `The gateway answered HTTP ${status} without saying why. Is its URL that of an MCP endpoint?`;
