/**
 * What works between which eras. Not a claim: `test/gateway/compatibility.test.ts` runs each cell with the official SDKs over
 * real sockets and fails when one of them is not what stands here.
 */

export const clients = {
  legacy: 'client up to 2025-11-25 (SDK 1.32)',
  modern: 'client of 2026-07-28 (SDK 2.4)',
} as const;

export const servers = {
  legacy: 'server up to 2025-11-25 (SDK 1.32)',
  parked: 'the same with `elicitation: park`',
  modern: 'server of 2026-07-28 (SDK 2.4)',
} as const;

export type ClientEra = keyof typeof clients;
export type ServerKind = keyof typeof servers;

/** `works`: as if there were no gateway. `refused`: in a sentence, at once, and cancelled at the server. */
export type Cell = 'works' | 'refused';

const everywhere = { legacy: 'works', parked: 'works', modern: 'works' } as const;
/** A server that asks while a call is open, and a client that can only come back. */
const asks = { legacy: 'refused', parked: 'works', modern: 'works' } as const;

/** By feature, by client, by server. */
export const compatibility = {
  'tool calls': { legacy: everywhere, modern: everywhere },
  'elicitation (forms)': { legacy: everywhere, modern: asks },
  'elicitation (pages)': { legacy: everywhere, modern: asks },
  sampling: { legacy: everywhere, modern: asks },
  roots: { legacy: everywhere, modern: asks },
  progress: { legacy: everywhere, modern: everywhere },
  'log messages': { legacy: everywhere, modern: everywhere },
  cancellation: { legacy: everywhere, modern: everywhere },
  'resource subscriptions': { legacy: everywhere, modern: everywhere },
  'list changes': { legacy: everywhere, modern: everywhere },
  'resource templates': { legacy: everywhere, modern: everywhere },
  prompts: { legacy: everywhere, modern: everywhere },
  completion: { legacy: everywhere, modern: everywhere },
} as const satisfies Record<string, Record<ClientEra, Record<ServerKind, Cell>>>;

export type Feature = keyof typeof compatibility;

/** Hosts and clients that a test in this repository runs through the gateway. */
export const hosts = [
  ['official TypeScript SDK 1.32', '2025-11-25', '`test/gateway/compatibility.test.ts`'],
  ['official TypeScript SDK 2.4', '2025-11-25, 2026-07-28', '`test/gateway/compatibility.test.ts`'],
  ['official inspector 2.12', '2025-11-25', '`test/gateway/inspector.test.ts`'],
  ['official conformance suite 0.1.16, active scenarios', '2025-11-25', '`test/conformance/active.test.ts`'],
] as const;
