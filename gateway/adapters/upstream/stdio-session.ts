import { type Answer, legacyRevisions, upstreamRevisions } from '#gateway/core/exchange.ts';
import { ownCapabilities } from '#gateway/core/extensions.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { withoutTasks } from '#gateway/core/tasks.ts';
import { showSize } from '#gateway/core/units.ts';
import type { UpstreamNotice } from '#gateway/ports.ts';
import type { Clock } from './clock.ts';
import { clientInfo, isSpoken } from './handshake.ts';
import { createLineReader } from './lines.ts';
import { harmless, type Log } from './log.ts';
import type { Oddities } from './oddities.ts';
import { disbelief } from './own-question.ts';
import { createCalls, type Question } from './stdio-calls.ts';
import { type ChildOptions, startChild } from './stdio-child.ts';
import { type Inbox, readLine } from './stdio-inbox.ts';
import { down, invalid, lost, seconds, tooLarge } from './stdio-refusals.ts';

/** What the child said of itself at `initialize`. */
export interface Hello {
  readonly revision: string;
  readonly capabilities: JsonObject;
  readonly instructions: string | null;
}

export interface SessionOptions extends Omit<ChildOptions, 'stdout'> {
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly oddities: Oddities;
  readonly handshakeMs: number;
  up(hello: Hello): void;
  /** Once, at the end; not called from within `startSession`. */
  ended(why: string): void;
  notify(notice: UpstreamNotice): void;
}

/** The life of one child: from its start over the handshake to its end. */
export interface Session {
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

/** Answers to our own requests: the lists and the handshake. */
export const ownAnswerBytes = 8 * 1024 * 1024;
const slackBytes = 64 * 1024;

export function startSession(options: SessionOptions): Session {
  const { server, log, oddities } = options;
  let over: string | null = null;
  let revision: string | null = null;
  const child = startChild({ ...options, stdout: (chunk) => read(chunk) });
  const { writer } = child;
  const calls = createCalls({ server, clock: options.clock, writer, oddities });
  const inbox: Inbox = { calls, writer, oddities, notify: options.notify, revision: () => revision };
  const end = (why: string): void => {
    over ??= why;
    child.kill();
  };
  const read = createLineReader({
    line(line) {
      if (over === null) readLine(inbox, line);
    },
    growing: calls.growing,
    fits: (bytes) => bytes <= Math.max(ownAnswerBytes, calls.largest()) + slackBytes,
    tooLong() {
      const most = showSize(Math.max(ownAnswerBytes, calls.largest()));
      over = `sent a message larger than ${most}`;
      calls.fail(invalid(server, `the server ${over} and was stopped`), (one) => tooLarge(server, one.answerBytes));
      child.kill();
    },
  });

  void child.ended.then((how) => {
    over ??= how;
    log.debug({ server, how, lastWords: harmless(child.lastWords()), oddities: oddities.counted() }, 'a child ended');
    calls.fail(lost(server, over));
    options.ended(over);
  });
  void calls.ask(greeting(options.handshakeMs)).then((answer) => {
    if (over !== null) return;
    const hello = readHello(answer, options.handshakeMs);
    if (typeof hello === 'string') return end(hello);
    revision = hello.revision;
    writer.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    options.up(hello);
  });

  return {
    ask(question) {
      if (over === null) return calls.ask(question);
      return Promise.resolve({ kind: 'refusal', refusal: down(server, over) });
    },
    async stop() {
      over ??= 'was stopped';
      calls.fail(lost(server, 'was stopped'));
      await child.stop();
    },
  };
}

const greeting = (handshakeMs: number): Question => ({
  method: 'initialize',
  params: { protocolVersion: legacyRevisions[0], capabilities: ownCapabilities, clientInfo },
  answerBytes: ownAnswerBytes,
  firstByte: handshakeMs,
  timeout: handshakeMs,
  waited: 0,
  signal: null,
});

function readHello(answer: Answer, handshakeMs: number): Hello | string {
  if (answer.kind === 'error') return `refused to initialize (error ${answer.error.code})`;
  if (answer.kind === 'refusal' && answer.refusal.refused === 'upstream_timeout') {
    return `did not initialize within ${seconds(handshakeMs)}`;
  }
  if (answer.kind !== 'result') return 'answered to initialize with what is not MCP';
  const flaw = disbelief(answer.source);
  if (flaw !== null) return `initialized with JSON that ${flaw}`;
  const { protocolVersion, capabilities, instructions } = answer.result;
  if (!isSpoken(protocolVersion)) {
    const shown = /^\d{4}-\d\d-\d\d$/.test(String(protocolVersion)) ? protocolVersion : 'of an unknown revision';
    return `speaks MCP ${shown} and none of ${upstreamRevisions.join(', ')}`;
  }
  if (!isJsonObject(capabilities)) return 'initialized without capabilities';
  // Empty is not absent: the digest tells them apart.
  return {
    revision: protocolVersion,
    capabilities: withoutTasks(capabilities),
    instructions: typeof instructions === 'string' ? instructions : null,
  };
}
