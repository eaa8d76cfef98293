import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher, Pool } from 'undici';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Failures } from './failures.ts';

export interface WireRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Milliseconds until the head of the answer, counted from the request being written, or null. */
  readonly firstByte: number | null;
  /** Milliseconds that a wait for bytes of the body may take, or null. */
  readonly idle: number | null;
  /** True while silence is in order: a person is being asked. */
  excused?(): boolean;
}

export interface Head {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/**
 * One HTTP request and its answer. Pulled: the socket is read on only as `read` is called, save for a small store. There
 * is no stream object, so nothing can emit an `error` that nobody listens to.
 */
export interface Exchange {
  readonly head: Promise<Head | Refusal>;
  /** The next bytes of the body, null at its end. */
  read(): Bit | Promise<Bit>;
  /** Everything that is still to come reads `why`, and the server sees its connection closed. */
  abort(why: Refusal): void;
  /** The rest is of no interest. A short rest is read, so that the connection can be used again. */
  discard(): void;
}

type Ended = 'running' | 'complete' | 'discarded' | Refusal;
type Bit = Buffer | null | Refusal;

const store = { bytes: 64 * 1024, chunks: 64 } as const;
const rest = { bytes: 16 * 1024, ms: 100 } as const;

interface State {
  readonly failures: Failures;
  readonly request: WireRequest;
  readonly chunks: Buffer[];
  readonly headed: (head: Head | Refusal) => void;
  controller: Dispatcher.DispatchController | null;
  stored: number;
  ended: Ended;
  waiting: ((bit: Bit) => void) | null;
  timer: NodeJS.Timeout | undefined;
}

export function createExchange(pool: Pool, path: string, request: WireRequest, failures: Failures): Exchange {
  const { promise: head, resolve: headed } = Promise.withResolvers<Head | Refusal>();
  const state: State = {
    failures,
    request,
    headed,
    chunks: [],
    controller: null,
    stored: 0,
    ended: 'running',
    waiting: null,
    timer: undefined,
  };
  const { method, headers, body } = request;
  pool.dispatch({ path, method, headers, body }, handlerOf(state));
  return {
    head,
    read: () => read(state),
    abort(why) {
      const unread = state.chunks.length > 0;
      state.chunks.length = 0;
      if (state.ended === 'complete' && unread) state.ended = why;
      fail(state, why);
      state.controller?.abort(new Error('no longer wanted'));
    },
    discard: () => discard(state),
  };
}

function handlerOf(state: State): Dispatcher.DispatchHandler {
  const { failures, request } = state;
  return {
    onRequestStart(controller) {
      state.controller = controller;
      const { firstByte } = request;
      if (isRefusal(state.ended)) controller.abort(new Error('no longer wanted'));
      else if (firstByte !== null) arm(state, firstByte, () => failures.timeout('did not begin to answer', firstByte));
    },
    onResponseStart(_, status, headers) {
      if (status < 200) return;
      clearTimeout(state.timer);
      state.headed({ status, headers });
    },
    onResponseData(controller, chunk) {
      if (state.waiting) return give(state, chunk);
      state.stored += chunk.length;
      if (state.ended === 'discarded') {
        if (state.stored > rest.bytes) controller.abort(new Error('no longer wanted'));
        return;
      }
      state.chunks.push(chunk);
      if (state.stored >= store.bytes || state.chunks.length >= store.chunks) controller.pause();
    },
    onResponseEnd() {
      clearTimeout(state.timer);
      if (state.ended === 'running') state.ended = 'complete';
      give(state, null);
    },
    onResponseError(_, error) {
      fail(state, state.controller ? failures.broken(error) : failures.unreachable(error));
    },
  };
}

function read(state: State): Bit | Promise<Bit> {
  const chunk = state.chunks.shift();
  if (chunk) {
    state.stored -= chunk.length;
    if (state.controller?.paused && state.stored < store.bytes / 2) state.controller.resume();
    return chunk;
  }
  if (state.ended === 'complete' || state.ended === 'discarded') return null;
  if (isRefusal(state.ended)) return state.ended;
  const { idle } = state.request;
  if (idle !== null) arm(state, idle, () => state.failures.timeout('went silent and sent nothing', idle));
  return new Promise((resolve) => {
    state.waiting = resolve;
  });
}

function give(state: State, bit: Bit): void {
  const { waiting } = state;
  if (!waiting) return;
  clearTimeout(state.timer);
  state.waiting = null;
  waiting(bit);
}

function fail(state: State, why: Refusal): void {
  clearTimeout(state.timer);
  if (state.ended !== 'running') return;
  state.ended = why;
  state.headed(why);
  give(state, why);
}

function arm(state: State, ms: number, why: () => Refusal): void {
  clearTimeout(state.timer);
  state.timer = setTimeout(() => {
    if (state.request.excused?.()) return arm(state, ms, why);
    fail(state, why());
    state.controller?.abort(new Error('timed out'));
  }, ms);
}

function discard(state: State): void {
  if (state.ended !== 'running') return;
  clearTimeout(state.timer);
  state.ended = 'discarded';
  state.chunks.length = 0;
  state.stored = 0;
  give(state, null);
  state.controller?.resume();
  state.timer = setTimeout(() => state.controller?.abort(new Error('no longer wanted')), rest.ms).unref();
}
