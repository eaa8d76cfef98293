import { setTimeout as sleep } from 'node:timers/promises';
import { finish, messagesOf } from './answer.ts';
import type { Answer, Link } from './link.ts';
import { isTrouble } from './passes.ts';

const shortest = 1_000;
const longest = 30_000;
const steady = 10_000;

/**
 * Keeps the stream open on which the gateway speaks unasked, as long as it offers one.
 *
 * @returns `gone` when the session is, `ended` when there is nothing (more) to listen to.
 */
export async function listen(options: {
  readonly link: Link;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly pass: (text: string) => void;
  readonly now: () => number;
}): Promise<'gone' | 'ended'> {
  const { link, headers, signal, pass, now } = options;
  let lastEvent: string | null = null;
  let wait = shortest;
  while (!signal.aborted) {
    const resume: Record<string, string> = lastEvent === null ? {} : { 'last-event-id': lastEvent };
    const answer = await link({ method: 'GET', headers: { ...headers, ...resume }, signal });
    if (!isTrouble(answer)) {
      if (answer.statusCode !== 200) await finish(answer);
      if (answer.statusCode === 404) return 'gone';
      // 405 and its like: the gateway has nothing to say unasked.
      if (answer.statusCode >= 400 && answer.statusCode < 500 && answer.statusCode !== 429) return 'ended';
      if (answer.statusCode === 200) {
        const begun = now();
        const heard = await hear(answer, pass);
        lastEvent = heard.lastEvent ?? lastEvent;
        // A stream that ends as soon as it began is not asked for every second.
        if (heard.retry !== null || now() - begun > steady) wait = heard.retry ?? shortest;
      }
    }
    await sleep(wait, undefined, { signal });
    wait = Math.min(wait * 2, longest);
  }
  return 'ended';
}

interface Heard {
  readonly lastEvent: string | null;
  readonly retry: number | null;
}

async function hear(answer: Answer, pass: (text: string) => void): Promise<Heard> {
  let lastEvent: string | null = null;
  let retry: number | null = null;
  try {
    for await (const received of messagesOf(answer)) {
      lastEvent = received.eventId ?? lastEvent;
      retry = received.retry ?? retry;
      if (received.message) pass(received.text);
    }
  } catch {
    // A stream may break at any time: what matters is where to go on.
  }
  return { lastEvent, retry };
}
