import type { Era } from './exchange.ts';

/** Every method a client may send, and in which era it exists (protocol.md A2, A11, B). An unlisted one is refused. */
export const methods = {
  initialize: { legacy: true, modern: false },
  ping: { legacy: true, modern: false },
  'logging/setLevel': { legacy: true, modern: false },
  'server/discover': { legacy: false, modern: true },
  'tools/list': { legacy: true, modern: true },
  'tools/call': { legacy: true, modern: true },
  'prompts/list': { legacy: true, modern: true },
  'prompts/get': { legacy: true, modern: true },
  'resources/list': { legacy: true, modern: true },
  'resources/templates/list': { legacy: true, modern: true },
  'resources/read': { legacy: true, modern: true },
  'resources/subscribe': { legacy: true, modern: false },
  'resources/unsubscribe': { legacy: true, modern: false },
  'completion/complete': { legacy: true, modern: true },
  'tasks/get': { legacy: false, modern: true },
  'tasks/update': { legacy: false, modern: true },
  'tasks/cancel': { legacy: false, modern: true },
  'subscriptions/listen': { legacy: false, modern: true },
} as const;

export type Method = keyof typeof methods;

export const isMethod = (method: string, era: Era): method is Method =>
  Object.hasOwn(methods, method) && methods[method as Method][era];

/** Log levels, least severe first (RFC 5424 by the names MCP uses). */
export const logLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

/** Is a message of this level wanted by somebody who asked for `least`? Nothing said means: everything. */
export const wantsLevel = (least: string | null, level: unknown): boolean =>
  least === null || logLevels.indexOf(level as never) >= logLevels.indexOf(least as never);
