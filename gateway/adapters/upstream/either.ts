import { errorCodes } from '#gateway/core/error-codes.ts';
import type { Answer, Era } from '#gateway/core/exchange.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { looksOlder } from '#gateway/core/upstream-status.ts';
import type { Live, Upstream, UpstreamCall } from '#gateway/ports.ts';
import { createHttpUpstream, type HttpUpstreamOptions } from './http.ts';
import { closeLine, openLine } from './line.ts';
import type { Link } from './link.ts';
import { discover, type Found } from './modern/discover.ts';
import { createModernUpstream, type Look } from './modern/upstream.ts';
import { createParking } from './parking.ts';
import { createSides, type Side } from './sides.ts';
import { withUrlElicitation } from './url-elicitation.ts';
import { createVerdicts } from './verdicts.ts';
import type { Parking } from './waiting-calls.ts';

export interface EitherOptions extends HttpUpstreamOptions {
  /** The era that the config pins; null when the server is to be asked. */
  readonly pinned: Era | null;
  /** How calls are held for callers that come back with an answer; null when they are not. */
  readonly parking: Parking | null;
}

/** A server behind streamable HTTP, in the era that it speaks. Whoever speaks both is spoken to in the newer one. */
export function createUpstream(options: EitherOptions): Upstream {
  const line = openLine(options);
  const { link } = line;
  // What the server said of itself when it was asked for its era in this very look: it need not be asked twice.
  let told: Found | null = null;
  const look = async (): Promise<Found | Refusal> => {
    const found = told ?? (await discover(link, options.limits));
    told = null;
    return found;
  };
  const verdicts = createVerdicts({
    pinned: options.pinned,
    ask: async () => {
      const found = await discover(link, options.limits);
      if (isRefusal(found)) return found;
      told = found;
      return found.era;
    },
    now: () => performance.now(),
  });
  const sides = createSides({
    link,
    make: (era) => (era === 'modern' ? modernSide(options, link, look) : legacySide(options, link)),
  });

  const live = async (): Promise<Live | Refusal> => {
    told = null;
    const era = await verdicts.era();
    if (isRefusal(era)) return era;
    const found = await sides.of(era).live();
    const now = isRefusal(found) && disproves(era, found) ? await verdicts.again(era) : era;
    return now === era || isRefusal(now) ? found : sides.of(now).live();
  };

  const first = async (call: UpstreamCall): Promise<Answer> => {
    const era = await verdicts.era();
    return isRefusal(era) ? { kind: 'refusal', refusal: era } : sendAs(era, call);
  };

  /** Once more in the other era, when the answer shows that this one is not spoken any longer. */
  const sendAs = (era: Era, call: UpstreamCall): Promise<Answer> =>
    sides
      .of(era)
      .send(call)
      .then((answer) => (disprovedBy(era, answer) ? secondTry(era, call, answer) : answer));

  const secondTry = async (era: Era, call: UpstreamCall, answer: Answer): Promise<Answer> => {
    const now = await verdicts.again(era);
    return now === era || isRefusal(now) ? answer : sides.of(now).send(call);
  };

  return {
    send(call) {
      const held = call.resumed && sides.former(call);
      if (held) return held.send(call);
      const era = verdicts.known();
      return era === null ? first(call) : sendAs(era, call);
    },
    live,
    close: () => closeLine(line, sides.close()),
  };
}

function modernSide(options: EitherOptions, link: Link, look: Look): Side {
  const upstream = createModernUpstream(options, link, look);
  // A round of this era is over when it is answered: nothing is held, and what is under way needs no more than the line.
  return { ...upstream, holds: () => false, retire: () => upstream.close() };
}

/** The older era, with what callers of the newer one need in front of it. */
function legacySide(options: EitherOptions, link: Link): Side {
  const { parking, id: server, log } = options;
  const upstream = createHttpUpstream({ ...options, parks: parking !== null }, link);
  // Without parking nothing is declared: who asks all the same is told that nobody can answer. A ticket is refused.
  const parked = createParking(upstream, { server, parking: parking ?? none, log });
  return { ...withUrlElicitation(parked), holds: parked.holds, retire: () => upstream.retire() };
}

const none: Parking = { atMost: 0, perPrincipal: 0, ms: 0 };

function disprovedBy(era: Era, answer: Answer): boolean {
  if (answer.kind === 'error') return answer.error.code === errorCodes.versionUnsupported;
  return answer.kind === 'refusal' && disproves(era, answer.refusal);
}

/**
 * Does this "no" look as if the server did not speak this era? What stands in a JSON-RPC error of our own request is its
 * answer, but for the one about revisions. Whether it is so is asked; only then the call is sent again.
 */
function disproves(era: Era, { data }: Refusal): boolean {
  const { code, status } = data;
  if (code === errorCodes.versionUnsupported) return true;
  return era === 'modern' && looksOlder(status);
}
