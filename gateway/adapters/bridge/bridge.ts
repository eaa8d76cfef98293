import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMessageId } from '#gateway/core/message.ts';
import { finish } from './answer.ts';
import { createCalls } from './calls.ts';
import { type Incoming, isUnreadable, mirrored, ownRevision, readIncoming, type Unreadable } from './incoming.ts';
import { linesOf } from './lines.ts';
import { createLink } from './link.ts';
import { listen } from './listen.ts';
import { createOutgoing } from './outgoing.ts';
import { createPasses, isTrouble, type Pass, type Trouble } from './passes.ts';
import { createSession } from './session.ts';
import { createWire } from './wire.ts';

export interface BridgeOptions {
  /** The MCP endpoint of the gateway; asked for again when nobody answers there. */
  endpoint(): Promise<string | Trouble>;
  readonly input: Readable;
  readonly output: Writable;
  /** A token of this run: asked for at first, and whenever half of its time is over. */
  mint(): Promise<Pass | Trouble>;
  now(): number;
  /** Ends the bridge at once. */
  readonly signal: AbortSignal;
}

/** How long answers that are under way are waited for when the host has no more to say. */
const grace = 5_000;
const farewell = 2_000;
const noteTime = 10_000;

/** Carries MCP between a host that speaks stdio and the gateway. Resolves when the host is gone. */
export async function runBridge(options: BridgeOptions): Promise<void> {
  const { input, output, signal, now } = options;
  const over = new AbortController();
  const wire = createWire(options.endpoint);
  const link = createLink(wire, createPasses(options.mint, now));
  const outgoing = createOutgoing(output);
  const session = createSession(link, over.signal, listenAgain);
  const calls = createCalls({ link, session, outgoing });
  let listening = new AbortController();

  function listenAgain(): void {
    listening.abort();
    listening = new AbortController();
    const { generation } = session;
    listen({ link, headers: session.headers(), signal: listening.signal, pass: outgoing.pass, now })
      .then((end) => (end === 'gone' ? session.reopen(generation) : null))
      .catch(() => null);
  }

  /** Notifications and replies go one after the other: they mean something by their order. */
  async function note({ line, message }: Incoming): Promise<void> {
    const revision = ownRevision(message);
    const headers = revision === null ? session.headers() : mirrored(message, revision);
    const isCancel = message.kind === 'notification' && message.method === 'notifications/cancelled';
    // Where there is no session, closing the stream of a request is what cancels it.
    const isSaid = !isCancel || (revision === null && Object.keys(headers).length > 0);
    if (isSaid) {
      const until = AbortSignal.any([over.signal, AbortSignal.timeout(noteTime)]);
      const answer = await link({ method: 'POST', body: line, headers, signal: until }).catch(() => null);
      if (answer && !isTrouble(answer)) await finish(answer);
    }
    if (isCancel && isMessageId(message.params.requestId)) calls.cancel(message.params.requestId);
    if (message.kind === 'notification' && message.method === 'notifications/initialized') listenAgain();
  }

  let turn = Promise.resolve();
  function take(incoming: Incoming | Unreadable): void {
    if (isUnreadable(incoming)) {
      const { id, code, message } = incoming;
      outgoing.fail(id, { code, message });
      return;
    }
    const { message } = incoming;
    const before = turn;
    if (message.kind !== 'request') turn = before.then(() => note(incoming)).catch(() => undefined);
    else if (message.method === 'initialize') turn = before.then(() => calls.serve(incoming, message));
    else before.then(() => calls.serve(incoming, message)).catch(() => undefined);
  }

  const hangUp = (): void => {
    input.destroy();
    over.abort();
  };
  signal.addEventListener('abort', hangUp, { once: true });
  output.once('error', hangUp);
  const said = await readAll(input, take);
  const patience = sleep(grace, null, { signal: over.signal }).catch(() => null);
  if (said === 'all') await Promise.race([turn.then(calls.settled), patience]);
  over.abort();
  calls.end();
  listening.abort();
  signal.removeEventListener('abort', hangUp);
  await session.end(AbortSignal.timeout(farewell)).catch(() => undefined);
  await wire.close();
}

/** `cut` when the host did not end by itself. */
async function readAll(input: Readable, take: (incoming: Incoming | Unreadable) => void): Promise<'all' | 'cut'> {
  try {
    for await (const line of linesOf(input)) {
      if (line === null || line.trim() !== '') take(readIncoming(line));
    }
    return 'all';
  } catch {
    return 'cut';
  }
}
