import { type Answer, isEnding, modernRevisions } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import { withoutTasks } from '#gateway/core/tasks.ts';
import { clientInfo, isSpoken } from './handshake.ts';
import type { Head } from './http-exchange.ts';
import { createLifetime } from './lifetime.ts';
import type { Link, SessionMark } from './link.ts';
import { disbelief } from './own-question.ts';
import { type Gone, request } from './request.ts';
import { tell } from './tell.ts';
import type { Envelope } from './turn.ts';

/** What was agreed at `initialize`. A server that keeps no sessions gives no id; the agreement holds all the same. */
export interface Session extends SessionMark {
  /** The capabilities that we declared in it. */
  readonly declared: JsonObject;
  /** What the server said it can do. */
  readonly capabilities: JsonObject;
  readonly instructions: string | null;
}

export interface Terms {
  readonly revision: string;
  readonly declared: JsonObject;
  readonly limits: Limits;
}

const agreementBytes = 1024 * 1024;

export async function openSession(link: Link, { revision, declared, limits }: Terms): Promise<Session | Refusal> {
  let id: string | null | undefined;
  const result = await askOnce(link, {
    ...{ method: 'initialize', params: { protocolVersion: revision, capabilities: declared, clientInfo } },
    ...{ session: null, limits, answerBytes: agreementBytes, onHead: (head: Head) => (id = sessionId(head)) },
  });
  if (isRefusal(result)) return result;
  const { protocolVersion, capabilities = {}, instructions } = result;
  if (!isSpoken(protocolVersion)) {
    return link.failures.invalid('chose a protocol revision that is not spoken here', { offered: revision });
  }
  if (id === undefined) return link.failures.invalid('gave a session id that no header can carry');
  if (!isJsonObject(capabilities)) return link.failures.invalid('declared capabilities that are not an object');
  const session: Session = {
    ...{ id, revision: protocolVersion, declared, capabilities: withoutTasks(capabilities) },
    instructions: typeof instructions === 'string' ? instructions : null,
  };
  return (await tell(link, session, { method: 'notifications/initialized' })) ?? session;
}

/** Null without one, undefined when it is not what the specification allows: visible ASCII. */
function sessionId({ headers }: Head): string | null | undefined {
  const id = headers['mcp-session-id'];
  if (id === undefined) return null;
  return typeof id === 'string' && /^[\x21-\x7e]{1,1024}$/.test(id) ? id : undefined;
}

export interface Question {
  readonly method: string;
  readonly params: JsonObject;
  readonly session: Session | null;
  readonly limits: Limits;
  readonly answerBytes: number;
  readonly envelope?: Envelope;
  onHead?(head: Head): void;
}

/** Asks for the gateway itself: waits for the result, and takes everything else for a refusal. */
export async function askOnce(link: Link, question: Question): Promise<JsonObject | Refusal> {
  const life = createLifetime({ failures: link.failures, timeout: question.limits.timeout, signal: null });
  const answer = await request(link, { ...question, declared: {}, life, done: () => undefined });
  const result = await resultOf(link, question.method, answer);
  life.end();
  return result;
}

const isOurs = (revision: unknown): boolean => modernRevisions.some((one) => one === revision);

async function resultOf(link: Link, method: string, answer: Answer | Gone): Promise<JsonObject | Refusal> {
  if (answer.kind === 'gone') return link.failures.gone;
  if (answer.kind === 'refusal') return answer.refusal;
  if (answer.kind === 'result') {
    const flaw = disbelief(answer.source);
    return flaw === null ? answer.result : link.failures.invalid(`answered ${method} with JSON that ${flaw}`);
  }
  if (answer.kind === 'error') {
    const { code, data } = answer.error;
    const ours = isJsonObject(data) && Array.isArray(data.supported) && data.supported.some(isOurs);
    return link.failures.invalid(`answered ${method} with error ${code}`, { code, speaksOurs: ours });
  }
  // A modern server may ask in three methods only (basic/patterns/mrtr), and none of them is the gateway's own.
  if (answer.kind === 'task') return link.failures.invalid(`began a task in ${method}`);
  if (answer.kind === 'input') return link.failures.invalid(`asked for input in ${method}`);
  for await (const event of answer.events) {
    if (isEnding(event)) return resultOf(link, method, event);
  }
  return link.failures.lost('ended its answer without a result');
}
