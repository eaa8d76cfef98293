import type { Answer, Resumed } from '#gateway/core/exchange.ts';
import { isEnding } from '#gateway/core/exchange.ts';
import type { HeaderMirror } from '#gateway/core/header-mirrors.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import type { UpstreamCall } from '#gateway/ports.ts';
import type { Lifetime } from '../lifetime.ts';
import type { Link } from '../link.ts';
import { request } from '../request.ts';
import { envelopeFor } from './envelope.ts';
import type { Expected } from './input-requests.ts';
import { canonical } from './result.ts';

/** One caller's call, over however many requests it takes. */
export interface Talk {
  readonly link: Link;
  readonly call: UpstreamCall;
  readonly life: Lifetime;
  readonly declared: JsonObject;
  /** As the approved definition has them, until the server showed that they are others. */
  mirrors: readonly HeaderMirror[];
}

/** One request of the call. The call goes on when it is over: whoever holds the talk ends it. */
export async function round(talk: Talk, resumed: Resumed | null): Promise<Answer> {
  const { link, call, declared, mirrors } = talk;
  const { method, answerBytes, limits, client } = call;
  const params = { ...call.params, ...(resumed ? paramsOf(resumed) : {}) };
  const envelope = envelopeFor({ method, params, mirrors, client, declared });
  if (isRefusal(envelope)) return { kind: 'refusal', refusal: envelope };
  const life = lent(talk.life);
  const out = {
    method,
    params,
    answerBytes,
    limits,
    session: null,
    declared: {},
    life,
    envelope,
    done: () => undefined,
  };
  const answer = await request(link, out);
  if (answer.kind === 'gone') return { kind: 'refusal', refusal: link.failures.gone };
  const expected: Expected = { failures: link.failures, method, declared };
  if (answer.kind !== 'stream') return canonical(expected, answer);
  return { kind: 'stream', events: canonicalEvents(expected, answer.events) };
}

const paramsOf = ({ responses, state }: Resumed): JsonObject => ({
  inputResponses: responses,
  // Omitted when none was given: an empty one would be another state (basic/patterns/mrtr).
  ...(state === null ? {} : { requestState: state }),
});

type Events = (Answer & { kind: 'stream' })['events'];

async function* canonicalEvents(expected: Expected, events: Events): Events {
  for await (const event of events) yield isEnding(event) ? canonical(expected, event) : event;
}

/** The same time and the same reasons to stop, but its end is not the call's. */
const lent = (life: Lifetime): Lifetime => ({
  get over() {
    return life.over;
  },
  get asking() {
    return life.asking;
  },
  onOver: (tell) => life.onOver(tell),
  askBegins: () => life.askBegins(),
  askEnds: () => life.askEnds(),
  sleep: (ms) => life.sleep(ms),
  race: (promise) => life.race(promise),
  end: () => undefined,
});
