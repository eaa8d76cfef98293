import { type Refusal, refuse } from './refusals.ts';

/** A server, or one tool of it, that an operator took out of use. Whatever is approved of it stays approved. */
export interface Quarantine {
  readonly server: string;
  /** Null: the whole server. */
  readonly tool: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly by: string;
  /** For people; no agent reads it. */
  readonly why: string | null;
}

/** Does it hit this tool, or (null) the server as a whole? */
export const isQuarantined = (list: readonly Quarantine[], tool: string | null): boolean =>
  list.some((one) => one.tool === tool);

export const serverQuarantined = (server: string): Refusal =>
  refuse('server_quarantined', `An operator took server "${server}" out of use. ${how(server)}`);

export const toolQuarantined = (server: string, tool: string): Refusal =>
  refuse('definition_quarantined', `Tool "${tool}" of server "${server}". ${how(server)}`, { tool });

const how = (server: string): string => `See sekisho servers diff ${server}; sekisho servers release ends it.`;
