import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pathOf } from './json-patch.ts';
import { documentAt, type JsonPlace, placesIn, withEscapedTexts } from './json-text.ts';
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

/** The same in a text that is JSON: what is not hidden keeps its bytes, for a number may be larger than ours can be. */
export function hideInText(text: string, pointers: readonly string[], manner: Manner): HiddenText {
  const texts: string[] = [];
  const open = pointers.length === 0 ? -1 : documentAt(text);
  if (open < 0) return { text, texts };
  let now = text;
  for (const pointer of pointers) now = hideOne(now, placesIn(now, open, pathOf(pointer) ?? []), manner, texts);
  return { text: now, texts };
}

interface HiddenText {
  readonly text: string;
  readonly texts: readonly string[];
}

/** In one pass: a text of a megabyte that is put together anew for each of a hundred thousand places takes a minute. */
function hideOne(text: string, places: readonly JsonPlace[], manner: Manner, texts: string[]): string {
  const kept: string[] = [];
  let copied = 0;
  for (const { start, end, member } of places) {
    collect(JSON.parse(text.slice(start, end)) as JsonValue, texts);
    const leaves = manner === 'remove' && member !== null;
    const whole = leaves ? member : { start, end };
    // What cannot be left out keeps its place, to which other pointers may lead.
    kept.push(text.slice(copied, whole.start), leaves ? '' : manner === 'mark' ? `"${mark}"` : 'null');
    copied = whole.end;
  }
  return copied === 0 ? text : kept.join('') + text.slice(copied);
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
function collect(value: JsonValue, texts: string[]): void {
  // Without recursion: what stands in a text may nest as deep as a server likes.
  const left: (JsonValue | undefined)[] = [value];
  for (let one = left.pop(); one !== undefined || left.length > 0; one = left.pop()) {
    if (typeof one === 'object' && one !== null) for (const inner of Object.values(one)) left.push(inner);
    if (typeof one !== 'string' && typeof one !== 'number') continue;
    const text = String(one);
    if (text.length < shortest) continue;
    const escaped = JSON.stringify(text).slice(1, -1);
    texts.push(...(escaped === text ? [text] : [text, escaped]));
  }
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

/** JSON inside of JSON inside of a text: how often the quotes are taken off. */
const mostLayers = 4;

/** Takes the kinds and the texts out of one text after the other. @throws TooMuchText */
export function cleaner(kinds: readonly SecretKind[], texts: readonly string[]): (text: string) => string {
  // Also as they read once the kinds are out of them.
  const without = takesOut([...texts, ...texts.map((text) => withoutSecrets(text, kinds))], mark);
  const clean = (text: string, layers: number): string => {
    const rest = without(withoutSecrets(text, kinds));
    return layers === 0 ? rest : withEscapedTexts(rest, (inner) => clean(inner, layers - 1));
  };
  return (text) => clean(text, mostLayers);
}

/** Characters that are looked through at once: more would hold the event loop for too long. */
export const mostText = 1024 * 1024;

/** How much there is to look through; a text costs something also when it is empty. */
export function textIn(value: JsonValue | undefined): number {
  if (typeof value === 'string') return value.length + 8;
  if (typeof value !== 'object' || value === null) return 8;
  let length = 8;
  for (const [name, one] of Object.entries(value)) length += name.length + textIn(one);
  return length;
}

/** Arguments without what may not be sent. Null where that cannot be done. */
export function redactedArguments(args: JsonObject, { pointers, kinds }: Redaction): JsonObject | null {
  if (textIn(args) > mostText) return null;
  const { value, texts } = hideAt(args, pointers, 'mark');
  try {
    const clean = value === undefined ? undefined : withTexts(value, cleaner(kinds, texts));
    return isJsonObject(clean) ? clean : null;
  } catch (fault) {
    if (fault instanceof TooMuchText) return null;
    throw fault;
  }
}
