import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Upstream, UpstreamCall, UpstreamNotice } from '#gateway/ports.ts';
import { createBackoff } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Log } from './log.ts';
import { createOddities } from './oddities.ts';
import type { Reaper } from './reaper.ts';
import type { Question } from './stdio-calls.ts';
import { gatherLive } from './stdio-live.ts';
import { down, unreachable } from './stdio-refusals.ts';
import { type Hello, type Session, startSession } from './stdio-session.ts';
import { taskless } from './taskless.ts';
import { createTurnout } from './turnout.ts';

export interface StdioOptions {
  readonly id: string;
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  /** All of the child's environment, but for PATH, which is the gateway's unless it is named here. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly log: Log;
  notify(notice: UpstreamNotice): void;
  readonly reaper: Reaper;
  readonly clock?: Clock;
  readonly timings?: Partial<StdioTimings>;
}

/** Milliseconds at most. */
export interface StdioTimings {
  /** From the start of the child to the end of its handshake. */
  readonly handshake: number;
  /** How long `live` waits for a child that is starting. */
  readonly ready: number;
  readonly lists: number;
  /** Each step of leaving: until SIGTERM, until SIGKILL. */
  readonly stop: number;
}

const usual: StdioTimings = { handshake: 30_000, ready: 10_000, lists: 60_000, stop: 2_000 };

type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'up'; readonly session: Session; readonly hello: Hello; readonly since: number }
  | { readonly kind: 'down'; readonly why: string; readonly again: NodeJS.Timeout }
  | { readonly kind: 'closed' };
type Up = Extract<State, { kind: 'up' }>;

/**
 * One server as one child process that all callers share. It declares no client capabilities: what the child asks could
 * not be attributed to any of them. The child is started at once and again, with growing pauses, whenever it ends.
 */
export function createStdioUpstream(options: StdioOptions): Upstream {
  const { id, log, clock = systemClock } = options;
  const timings = { ...usual, ...options.timings };
  const backoff = createBackoff(clock.random);
  const oddities = createOddities(id, log);
  const turnout = createTurnout<Up | Refusal>();
  let state: State = { kind: 'starting' };
  let announced: 'up' | 'down' | null = null;

  const become = (next: State, outcome: Up | Refusal, notice: UpstreamNotice | null): void => {
    state = next;
    turnout.tell(outcome);
    if (!notice || notice.kind === announced) return;
    if (notice.kind === 'up' || notice.kind === 'down') announced = notice.kind;
    options.notify(notice);
  };
  const ended = (why: string): void => {
    if (state.kind === 'closed') return;
    const wait = backoff.after(state.kind === 'up' ? clock.now() - state.since : 0);
    log.warn({ server: id, why, retryMs: Math.round(wait) }, 'a server is down; it is started again');
    become({ kind: 'down', why, again: setTimeout(restart, wait) }, down(id, why), { kind: 'down', why });
  };
  const start = (): Session => {
    state = { kind: 'starting' };
    const up = (hello: Hello): void => {
      if (state.kind !== 'starting') return;
      log.info({ server: id, revision: hello.revision }, 'a server is up');
      const next = { kind: 'up', session, hello, since: clock.now() } as const;
      become(next, next, { kind: 'up' });
    };
    const own = { server: id, clock, oddities, up, ended, handshakeMs: timings.handshake, stopMs: timings.stop };
    const session = startSession({ ...options, ...own });
    return session;
  };
  const restart = (): void => {
    latest = start();
  };
  let latest = start();

  const ready = (atMostMs: number): Promise<Up | Refusal> => {
    if (state.kind === 'up') return Promise.resolve(state);
    if (state.kind === 'down') return Promise.resolve(down(id, state.why));
    if (state.kind === 'closed') return Promise.resolve(unreachable(id, 'was stopped with the gateway'));
    return turnout.wait(atMostMs, unreachable(id, 'is still starting; try again in a while'));
  };

  return {
    async send(call) {
      if (call.method.startsWith('tasks/')) return { kind: 'refusal', refusal: taskless };
      const began = clock.now();
      const now = await ready(Math.min(call.limits.connect, call.limits.timeout));
      if (isRefusal(now)) return { kind: 'refusal', refusal: now };
      return now.session.ask(questionOf(call, clock.now() - began));
    },
    async live() {
      const now = await ready(timings.ready);
      if (isRefusal(now)) return now;
      return gatherLive(now.session, now.hello, { server: id, clock, listsMs: timings.lists });
    },
    async close() {
      if (state.kind === 'down') clearTimeout(state.again);
      become({ kind: 'closed' }, unreachable(id, 'was stopped with the gateway'), null);
      await latest.stop();
    },
  };
}

const questionOf = ({ method, params, limits, answerBytes, signal }: UpstreamCall, waited: number): Question => ({
  method,
  params,
  answerBytes,
  firstByte: limits.firstByte,
  timeout: limits.timeout,
  waited,
  signal,
  // A modern caller's result needs members that a child of the older era does not write, so somebody has to read it.
});
