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
  'pages of Apps': { legacy: everywhere, modern: everywhere },
} as const satisfies Record<string, Record<ClientEra, Record<ServerKind, Cell>>>;

export type Feature = keyof typeof compatibility;

/** Hosts and clients that a test in this repository runs through the gateway. */
export const hosts = [
  ['official TypeScript SDK 1.32', '2025-11-25', '`test/gateway/compatibility.test.ts`'],
  ['official TypeScript SDK 2.4', '2025-11-25, 2026-07-28', '`test/gateway/compatibility.test.ts`'],
  ['official inspector 2.12', '2025-11-25', '`test/gateway/inspector.test.ts`'],
  ['conformance 0.1.16, `--suite all`: 44 of 44', '2025-11-25', '`test/conformance/suites.test.ts`'],
  ['conformance 0.2.0-alpha.12, required: 81 of 81', '2025-11-25', '`test/conformance/suites.test.ts`'],
  ['conformance 0.2.0-alpha.12, all that is required', '2026-07-28', '`test/conformance/suites.test.ts`'],
  ['conformance 0.2.0-alpha.12, scenarios of clients', 'both', '`test/conformance/clients.test.ts`'],
] as const;

/** What hosts say of themselves, or were seen to do by others, in November 2026. None of it is tested here. */
export const published = [
  ['Claude Code', '2026-07-28, then sessions', 'forms', ''],
  ['Codex CLI', '2025-06-18', 'not stated', 'gives a call up after 60 s'],
  ['VS Code, Copilot', 'not stated', 'forms, sampling', ''],
  ['Cursor', 'not stated', 'forms', 'drops a tool whose name and server’s have more than 60 characters'],
  ['Zed', '2025-11-25', 'no', ''],
  ['Gemini CLI', 'sessions (SDK 1.23)', 'no', 'cuts names of more than 63 characters in the middle'],
  [
    'Claude Desktop, claude.ai',
    'not stated',
    'not stated',
    'call from outside: a loopback gateway needs `sekisho bridge`',
  ],
  ['Windsurf, JetBrains, Goose, Kiro', 'not stated', 'mostly not stated', ''],
] as const;
