import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { showSize } from '#gateway/core/units.ts';

/** The sentences of a stdio server's "no". `why` and `what` are ours too: a server does not get to write into them. */

export const unreachable = (server: string, why: string): Refusal =>
  refuse('upstream_unreachable', `Server "${server}" ${why}.`, { server });

export const down = (server: string, why: string): Refusal =>
  unreachable(server, `is down: it ${why}. It is being started again; try again in a while`);

export const lost = (server: string, why: string): Refusal =>
  refuse(
    'upstream_lost',
    `Server "${server}" ${why} before it answered. Whether the call took effect is not known: look before you repeat it.`,
    { server },
  );

export const callerLeft = (server: string): Refusal =>
  refuse('upstream_lost', `The call was given up before server "${server}" answered.`, { server });

export const silent = (server: string, ms: number): Refusal =>
  refuse('upstream_timeout', `Server "${server}" said nothing about this call for ${seconds(ms)}.`, {
    server,
    limit: 'first_byte',
    limitMs: ms,
  });

export const tooSlow = (server: string, ms: number): Refusal =>
  refuse('upstream_timeout', `Server "${server}" did not finish this call within ${seconds(ms)}.`, {
    server,
    limit: 'timeout',
    limitMs: ms,
  });

export const tooLarge = (server: string, bytes: number): Refusal =>
  refuse(
    'answer_too_large',
    `The answer of server "${server}" is larger than ${showSize(bytes)}, the limit of this call. Ask for less: fewer items, one page, a range of lines, or a narrower filter.`,
    { server, limitBytes: bytes },
  );

export const invalid = (server: string, what: string): Refusal =>
  refuse('upstream_invalid', `The answer of server "${server}" cannot be used: ${what}.`, { server });

export const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(1))} s`;
