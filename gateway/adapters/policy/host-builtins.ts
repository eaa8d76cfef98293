import { regexFunctions } from './builtins-regex.ts';
import { searchFunctions } from './builtins-search.ts';
import { textFunctions } from './builtins-text.ts';
import { timeFunctions } from './builtins-time.ts';
import type { HostFunction, Pay } from './host-function.ts';

/**
 * The functions that a policy module may call us for, by their Rego names. They are pure: what they say follows from what
 * they are given, as OPA's own would say it, so that a decision can be replayed. As there, a wrong argument makes the call
 * undefined. None of them takes or gives a set: what crosses this border is JSON, which would make a list of it.
 */
export type HostBuiltins = Readonly<Record<string, HostFunction>>;

const functionsPaid = (pay: Pay): HostBuiltins => ({
  ...textFunctions,
  ...timeFunctions,
  ...searchFunctions(pay),
  ...regexFunctions(pay),
});

export const suppliedFunctions: readonly string[] = Object.keys(functionsPaid(() => undefined)).sort();

/** In steps: what the call across the border costs, each value that crosses it, and each character. */
const price = { call: 150, value: 3, char: 3 } as const;

/** Of reading the arguments, which is all of the work of most functions; the others pay for the rest themselves. */
function crossing(argument: unknown): number {
  if (typeof argument === 'string') return price.value + price.char * argument.length;
  if (typeof argument !== 'object' || argument === null) return price.value;
  // The keys of a list are left out: they did not cross.
  const keys = Array.isArray(argument) ? [] : Object.keys(argument);
  return [...keys, ...Object.values(argument)].reduce<number>((sum, one) => sum + crossing(one), price.value);
}

/** Each pays before it works, or a policy could do outside of the module what it may not do inside. */
export function hostBuiltins(pay: Pay, more: HostBuiltins = {}): HostBuiltins {
  const paid = Object.entries({ ...functionsPaid(pay), ...more }).map(([name, work]): [string, HostFunction] => [
    name,
    (...args) => {
      pay(price.call + crossing(args));
      return work(...args);
    },
  ]);
  return Object.assign(Object.create(null), Object.fromEntries(paid));
}
