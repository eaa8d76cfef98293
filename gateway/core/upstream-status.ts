/**
 * What the HTTP status of an upstream's answer is about, when it is none of those that MCP gives a meaning. Only `request`
 * shows something of the server itself, such as its era (protocol.md C2); the others are about our credential, or pass.
 */
export type StatusAbout = 'place' | 'credential' | 'moment' | 'request';

const rows: Readonly<Record<number, StatusAbout>> = {
  ...{ 401: 'credential', 403: 'credential', 407: 'credential' },
  ...{ 408: 'moment', 425: 'moment', 429: 'moment' },
};

export function aboutOf(status: number): StatusAbout {
  if (status >= 300 && status < 400) return 'place';
  return rows[status] ?? (status >= 500 ? 'moment' : 'request');
}

/** Does this status say that the server as a whole cannot be had, or our credential at it? Else it is about one request. */
export function concernsAll(status: number, credential: 'gateway' | 'caller'): boolean {
  // 403 and 429 are for who asked, and 500 for what: one caller must not mark the server as down for all.
  return status >= 502 || (credential === 'gateway' && (status === 401 || status === 407));
}

/** Statuses of servers that were asked in the newer era and do not speak it. Each comes before anything was done. */
const ofOlderServers: ReadonlySet<unknown> = new Set([400, 404, 405]);
export const looksOlder = (status: unknown): boolean => ofOlderServers.has(status);

/** "There is no such stream" in so many words; 404 is also what stands in front of a server that is being restarted. */
const noStream: ReadonlySet<number> = new Set([405, 501]);
export const hasNoStream = (status: number): boolean => noStream.has(status);
