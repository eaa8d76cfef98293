/** A function that a policy calls us for: JSON in, JSON out, `undefined` where an argument is wrong. It never throws. */
export type HostFunction = (...args: readonly unknown[]) => unknown;

/**
 * Takes steps off what is left for the question; throws when there are none left. A step is some 20 ns of work, as one turn
 * of a loop inside the module is.
 */
export type Pay = (steps: number) => void;

/** Functions whose work is more than reading their arguments once: they pay for the rest themselves, before it is done. */
export type PaidFunctions = (pay: Pay) => Readonly<Record<string, HostFunction>>;
