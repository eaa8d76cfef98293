import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pathOf } from './json-patch.ts';
import type { Redaction } from './obligations.ts';
import { type SecretKind, withoutSecrets } from './secret-kinds.ts';
import { shortest, TooMuchText, takesOut } from './taken-out.ts';

/** What stands in the place of what is hidden: a mark, or, where a schema allows no such text, nothing at all. */
export type Manner = 'mark' | 'remove';

const mark = '[redacted]';

/** A value without what a redaction hides, and the texts that stood at its pointers. */
interface Hidden {
  readonly value: JsonValue | undefined;
  readonly texts: readonly string[];
}

/** Takes out what stands at the pointers; what is not there need not be hidden. */
export function hideAt(value: JsonValue, pointers: readonly string[], manner: Manner): Hidden {
  const texts: string[] = [];
  let now: JsonValue | undefined = value;
  for (const pointer of pointers) now = now === undefined ? now : hide(now, pathOf(pointer) ?? [], manner, texts);
  return { value: now, texts };
}

function hide(
  at: JsonValue,
  [name, ...rest]: readonly string[],
  manner: Manner,
  texts: string[],
): JsonValue | undefined {
  if (name === undefined) {
    collect(at, texts);
    return manner === 'mark' ? mark : undefined;
  }
  if (Array.isArray(at)) {
    const hidden = at.map((one, index) =>
      name === '*' || name === String(index) ? hide(one, rest, manner, texts) : one,
    );
    // The others keep their places, to which other pointers may lead.
    return hidden.map((one) => one ?? null);
  }
  const inner = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  if (!isJsonObject(at) || inner === undefined) return at;
  const { [name]: _, ...others } = at;
  const left = hide(inner, rest, manner, texts);
  return left === undefined ? others : { ...at, [name]: left };
}

/**
 * What stood there, as it may stand in other texts: numbers, too, and texts as they read inside of JSON. One shorter than that
 * says nothing by itself, and taking it out of every other text would leave none whole.
 */
function collect(value: JsonValue | undefined, texts: string[]): void {
  if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) collect(one, texts);
  if (typeof value !== 'string' && typeof value !== 'number') return;
  const text = String(value);
  if (text.length < shortest) return;
  const escaped = JSON.stringify(text).slice(1, -1);
  texts.push(...(escaped === text ? [text] : [text, escaped]));
}

/**
 * The value with every text of it changed, the names of its members left alone.
 * Undefined where the name of a member would have to change: it cannot be hidden without hiding what it names.
 */
export function withTexts(value: JsonValue, change: (text: string) => string): JsonValue | undefined {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const changed = value.map((one) => withTexts(one, change));
    return changed.includes(undefined) ? undefined : (changed as JsonValue[]);
  }
  const changed: JsonObject = {};
  for (const [name, one] of Object.entries(value)) {
    const member = one === undefined ? undefined : withTexts(one, change);
    if (change(name) !== name || (one !== undefined && member === undefined)) return undefined;
    changed[name] = member;
  }
  return changed;
}

/** Takes the kinds and the texts out of one text after the other. @throws TooMuchText */
export function cleaner(kinds: readonly SecretKind[], texts: readonly string[]): (text: string) => string {
  // Also as they read once the kinds are out of them.
  const without = takesOut([...texts, ...texts.map((text) => withoutSecrets(text, kinds))], mark);
  return (text) => without(withoutSecrets(text, kinds));
}

/** Arguments without what may not be sent. Null where that cannot be done. */
export function redactedArguments(args: JsonObject, { pointers, kinds }: Redaction): JsonObject | null {
  const { value, texts } = hideAt(args, pointers, 'mark');
  try {
    const clean = value === undefined ? undefined : withTexts(value, cleaner(kinds, texts));
    return isJsonObject(clean) ? clean : null;
  } catch (fault) {
    if (fault instanceof TooMuchText) return null;
    throw fault;
  }
}
