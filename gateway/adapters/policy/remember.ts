import type { Policy } from '#gateway/core/snapshot.ts';
import { surelyJudgeable } from './judgeable.ts';

const mostRemembered = 10_000;
const longestKey = 4_096;

/** Where in the input a policy looks: a member, or a member of a member. What lies deeper is part of that. */
interface Place {
  readonly outer: string;
  readonly inner: string | null;
}

/**
 * A policy that is asked the same question twice answers from memory. The question is what stands at the paths that its
 * rules refer to: nothing else can change the answer, since a module has neither clock nor chance nor memory of its own.
 * A policy that looks at what differs in every call (the time, the call's id) is asked every time, as before.
 *
 * @param refs Paths below input, dotted; `''` is all of it.
 */
export function remembering(policy: Policy, refs: readonly string[], atMost = mostRemembered): Policy {
  const places = placesOf(refs);
  if (places === null) return policy;
  let answers = new Map<string, unknown>();
  // Thrown away in two halves, so that what is asked often stays.
  let older = new Map<string, unknown>();
  return {
    revision: policy.revision,
    judge(input) {
      // What the engine would not take must not be answered either, also where no rule looks.
      const key = surelyJudgeable(input) ? keyOf(input as Readonly<Record<string, unknown>>, places) : null;
      if (key === null) return policy.judge(input);
      const known = answers.get(key) ?? older.get(key);
      const answer = known === undefined ? frozen(policy.judge(input)) : known;
      if (answers.size >= atMost / 2 && !answers.has(key)) {
        older = answers;
        answers = new Map();
      }
      answers.set(key, answer);
      return answer;
    },
  };
}

function placesOf(refs: readonly string[]): readonly Place[] | null {
  if (refs.includes('')) return null;
  const places = new Map<string, Place>();
  for (const ref of refs) {
    const [outer = '', inner = null] = ref.split('.');
    places.set(JSON.stringify([outer, inner]), { outer, inner });
  }
  return [...places.values()];
}

/** Null where a member has a dot in its name: a dotted path could then mean two things. */
function keyOf(input: Readonly<Record<string, unknown>>, places: readonly Place[]): string | null {
  if (hasDots(input)) return null;
  const found: unknown[] = [];
  for (const { outer, inner } of places) {
    const value = Object.hasOwn(input, outer) ? input[outer] : undefined;
    if (inner === null) found.push(present(value));
    // In another form than what stands below it: `{"b": 5}` is another question than `{"b": {"a": 5}}`.
    else if (!isObject(value)) found.push({ whole: present(value) });
    else if (hasDots(value)) return null;
    else found.push(present(Object.hasOwn(value, inner) ? value[inner] : undefined));
  }
  const key = JSON.stringify(found);
  return key.length > longestKey ? null : key;
}

/** What is missing is not what is null. */
const present = (value: unknown): unknown => (value === undefined ? 0 : [value]);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function hasDots(value: Readonly<Record<string, unknown>>): boolean {
  for (const name in value) if (name.includes('.')) return true;
  return false;
}

/** One answer for many calls: none of them may change it for the others. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
