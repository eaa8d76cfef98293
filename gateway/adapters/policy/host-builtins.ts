import { regexFunctions } from './builtins-regex.ts';
import { textFunctions } from './builtins-text.ts';
import { timeFunctions } from './builtins-time.ts';
import type { HostFunction } from './host-function.ts';

/**
 * The functions that a policy module may call us for, by their Rego names. They are pure: what they say follows from what
 * they are given, as OPA's own would say it, so that a decision can be replayed. As there, a wrong argument makes the call
 * undefined. None of them takes or gives a set: what crosses this border is JSON, which would make a list of it.
 */
export type HostBuiltins = Readonly<Record<string, HostFunction>>;

/** Takes steps off what is left for the question; throws when there are none left. */
type Charge = (steps: number) => void;

const functions: Readonly<Record<string, HostFunction>> = { ...regexFunctions, ...textFunctions, ...timeFunctions };

export const suppliedFunctions: readonly string[] = Object.keys(functions).sort();

/** In steps: what the call across the border costs, each character that crosses it, and each that a pattern looks at. */
const price = { call: 50, char: 3, looked: 30 } as const;

/** A regular expression looks at each character up to once for each of its own. */
const stepsOf = (name: string, args: readonly unknown[]): number => {
  const lengths = args.map((arg) => (typeof arg === 'string' ? arg.length : 0)).sort((a, b) => b - a);
  const [longest = 0, next = 0] = lengths;
  const crossing = price.call + price.char * lengths.reduce((sum, length) => sum + length, 0);
  return name.startsWith('regex.') ? crossing + longest * Math.max(price.looked, next) : crossing;
};

/** Each pays before it works, or a policy could do outside of the module what it may not do inside. */
export function hostBuiltins(charge: Charge, more: HostBuiltins = {}): HostBuiltins {
  const paid = Object.entries({ ...functions, ...more }).map(([name, work]): [string, HostFunction] => [
    name,
    (...args) => {
      charge(stepsOf(name, args));
      return work(...args);
    },
  ]);
  return Object.assign(Object.create(null), Object.fromEntries(paid));
}
