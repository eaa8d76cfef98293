import { errorCodes } from '#gateway/core/error-codes.ts';
import { type Answer, isModern, noAnswer } from '#gateway/core/exchange.ts';
import { headerMirrors, isMirrorFlaw } from '#gateway/core/header-mirrors.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Live, Upstream, UpstreamCall } from '#gateway/ports.ts';
import { declaredToModern } from '../capabilities.ts';
import { type HttpUpstreamOptions, pageBytes } from '../http.ts';
import { createLifetime } from '../lifetime.ts';
import type { Link } from '../link.ts';
import { gatherLive } from '../live.ts';
import { conversation } from './conversation.ts';
import { askModern, type Found } from './discover.ts';
import { createHearing, type Hearing } from './hearing.ts';
import { round, type Talk } from './round.ts';

/** Asks the server what it can do, unless it has just said so. */
export type Look = () => Promise<Found | Refusal>;

/** A server spoken to as of 2026-07-28: every request stands for itself, and what it needs it says. */
export function createModernUpstream(options: HttpUpstreamOptions, link: Link, look: Look): Upstream {
  const { limits } = options;
  const hearing = createHearing(link, limits.firstByte);
  return {
    async send(call) {
      if (!methods.has(call.method)) return noAnswer(refuse('method_unknown', `${call.method} is not for a server.`));
      if (call.method.endsWith('subscribe')) return subscribe(hearing, call);
      const life = createLifetime({ failures: link.failures, timeout: call.limits.timeout, signal: call.signal });
      const talk: Talk = {
        link: link.as(call),
        call,
        life,
        declared: declaredToModern(call.client),
        mirrors: call.mirrors,
      };
      try {
        return await answered(talk, await firstRound(talk, options));
      } catch (fault) {
        life.end();
        throw fault;
      }
    },
    async live() {
      const found = await look();
      if (isRefusal(found)) return found;
      if (found.era === 'legacy') return unspoken(link);
      hearing.hear(found.capabilities);
      const ask = (method: string, params: JsonObject): Promise<JsonObject | Refusal> =>
        askModern(link, limits, { method, params, bytes: pageBytes });
      const live = await gatherLive(link, ask, found);
      return isRefusal(live) ? live : withoutFlawed(link, live);
    },
    close() {
      hearing.close();
      return Promise.resolve();
    },
  };
}

const unspoken = ({ failures }: Link): Refusal =>
  failures.invalid('does not speak 2026-07-28 any more', { code: errorCodes.versionUnsupported });

const methods: ReadonlySet<string> = new Set([
  ...['tools/call', 'prompts/get', 'resources/read', 'completion/complete'],
  ...['resources/subscribe', 'resources/unsubscribe', 'tasks/get', 'tasks/update', 'tasks/cancel'],
]);

/** A legacy caller is asked on its stream; a modern one is given what the server needs, and comes back with it. */
function answered(talk: Talk, first: Answer): Answer {
  const streams = first.kind === 'stream' || first.kind === 'input';
  if (streams && !isModern(talk.call.client.revision)) return { kind: 'stream', events: conversation(talk, first) };
  if (first.kind !== 'stream') talk.life.end();
  return first.kind === 'stream' ? { kind: 'stream', events: ending(talk, first.events) } : first;
}

async function* ending(talk: Talk, events: (Answer & { kind: 'stream' })['events']): typeof events {
  try {
    yield* events;
  } finally {
    talk.life.end();
  }
}

/**
 * What the server wants in headers is known from the approved definition. When it says that they do not fit, its own
 * definition is looked at, once: that it differs is for a reviewer to see, and no argument goes where it did not go before.
 */
async function firstRound(talk: Talk, { limits }: HttpUpstreamOptions): Promise<Answer> {
  const { link, call } = talk;
  const first = await round(talk, call.resumed);
  const mismatch = first.kind === 'refusal' && first.refusal.data.code === errorCodes.headerMismatch;
  if (!mismatch || call.method !== 'tools/call') return first;
  link.notify({ kind: 'changed', what: 'tools' });
  const tool = await talk.life.race(findTool(link, limits, call.params.name));
  if (tool === null || isRefusal(tool)) return first;
  const mirrors = headerMirrors(tool.inputSchema);
  if (isMirrorFlaw(mirrors) || JSON.stringify(mirrors) === JSON.stringify(talk.mirrors)) return first;
  talk.mirrors = mirrors;
  return round(talk, call.resumed);
}

async function findTool(
  link: Link,
  limits: HttpUpstreamOptions['limits'],
  name: unknown,
): Promise<JsonObject | Refusal | null> {
  const ask = (method: string, params: JsonObject): Promise<JsonObject | Refusal> =>
    askModern(link, limits, { method, params, bytes: pageBytes });
  const live = await gatherLive(link, ask, { capabilities: { tools: {} }, instructions: null });
  if (isRefusal(live)) return live;
  return live.definitions.tools.find((tool) => tool.name === name) ?? null;
}

/** A tool whose header annotations are flawed must not be offered (A4): what it does with them nobody can say. */
function withoutFlawed(link: Link, live: Live): Live {
  const tools = live.definitions.tools.filter((tool) => {
    const mirrors = isJsonObject(tool) ? headerMirrors(tool.inputSchema) : [];
    if (!isMirrorFlaw(mirrors)) return true;
    link.log.warn({ server: link.server, tool: tool.name, flaw: mirrors.mirrorFlaw }, 'a tool is left out');
    return false;
  });
  return { ...live, definitions: { ...live.definitions, tools } };
}

async function subscribe(hearing: Hearing, { method, params, principal, run, limits }: UpstreamCall): Promise<Answer> {
  if (typeof params.uri !== 'string') return noAnswer(refuse('arguments_invalid', '"uri" must be a string.'));
  const caller = { principal, run };
  if (method === 'resources/unsubscribe') hearing.drop(params.uri, caller);
  else {
    const refusal = await hearing.add(params.uri, caller, limits.firstByte);
    if (refusal) return noAnswer(refusal);
  }
  return { kind: 'result', result: {}, source: null };
}
