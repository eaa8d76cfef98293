/** The exit codes of every command: part of the contract with scripts. */
export const exitCodes = {
  ok: 0,
  /** The check ran, and found something. */
  found: 1,
  usage: 2,
  config: 3,
  unreachable: 4,
  notPermitted: 5,
  conflict: 6,
  bug: 70,
} as const;

export type Exit = keyof typeof exitCodes;

/** Ends a command: what happened and where, and how to go on. Any other error is a bug of ours. */
export class Failure extends Error {
  readonly exit: Exit;
  readonly how: string | null;

  constructor(exit: Exit, what: string, how: string | null = null) {
    super(what);
    this.name = 'Failure';
    this.exit = exit;
    this.how = how;
  }
}
