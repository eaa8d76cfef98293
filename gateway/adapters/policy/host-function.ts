/** A function that a policy calls us for: JSON in, JSON out, `undefined` where an argument is wrong. It never throws. */
export type HostFunction = (...args: readonly unknown[]) => unknown;
