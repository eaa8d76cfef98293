import { type Ending, type ExchangeEvent, type InputNeeded, resultOf } from './exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import type { Redaction } from './obligations.ts';
import { cleaner, hideAt, hideInText, type Manner, mostText, textIn, withTexts } from './redaction.ts';
import { refuse } from './refusals.ts';
import type { Contract } from './schema/contract.ts';
import { TooMuchText } from './taken-out.ts';

const blocked = (why: string): Ending => ({ kind: 'refusal', refusal: refuse('answer_blocked', why) });
const tooMuch = blocked('It is too large to be looked through for what must not be seen.');
const named = blocked('A member of it is named by what must not be seen.');
const unfit = blocked('Without what must not be seen it does not fit the schema of the tool.');

/**
 * A result without what must not be seen, or our "no" where it cannot be had. Pointers lead into `structuredContent` and
 * into every text that is JSON; what stood there is taken out of all other texts, too, since servers repeat their
 * structured content as text. What is structured still fits `output`: where a mark does not, the member is left out.
 */
export function seenResult(result: JsonObject, redaction: Redaction, output: Contract['output']): Ending {
  if (textIn(result) > mostText) return tooMuch;
  try {
    return seenWhole(result, redaction, output);
  } catch (fault) {
    if (fault instanceof TooMuchText) return tooMuch;
    throw fault;
  }
}

function seenWhole(result: JsonObject, redaction: Redaction, output: Contract['output']): Ending {
  for (const manner of ['mark', 'remove'] as const) {
    const clean = redacted(result, redaction, manner);
    if (clean === null) return named;
    const { structuredContent } = clean;
    if (output === null || result.structuredContent === undefined) return resultOf(clean);
    if (structuredContent !== undefined && output(structuredContent) === null) return resultOf(clean);
  }
  return unfit;
}

function redacted(result: JsonObject, { pointers, kinds }: Redaction, manner: Manner): JsonObject | null {
  const texts: string[] = [];
  const { structuredContent, ...rest } = result;
  const { value: structured, texts: hidden } =
    structuredContent === undefined ? { value: undefined, texts: [] } : hideAt(structuredContent, pointers, manner);
  for (const text of hidden) texts.push(text);
  const open = insideTexts(rest, (text) => {
    const found = hideInText(text, pointers, manner);
    for (const one of found.texts) texts.push(one);
    return found.text;
  });
  const whole = structured === undefined ? open : { ...(open as JsonObject), structuredContent: structured };
  const clean = withTexts(whole, cleaner(kinds, texts));
  return isJsonObject(clean) ? clean : null;
}

/** Every `text` with the change made in it. */
function insideTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => insideTexts(one, change));
  const changed: JsonObject = {};
  for (const [name, one] of Object.entries(value)) {
    if (name === 'text' && typeof one === 'string') changed[name] = change(one);
    else changed[name] = one === undefined ? one : insideTexts(one, change);
  }
  return changed;
}

/** What else a caller reads of an answer without what must not be seen: by kind only, since no pointer is meant for it. */
export function seenEvent(event: ExchangeEvent, redaction: Redaction): ExchangeEvent | Ending {
  const { clean, instead } = seenPart(event.params, redaction);
  return clean === null ? instead : { ...event, params: clean };
}

/** The same of what ends an answer without a result. */
export function seenEnding(ending: Ending, redaction: Redaction): Ending {
  if (ending.kind === 'error') {
    const { clean, instead } = seenPart({ ...ending.error }, redaction);
    return clean === null ? instead : { kind: 'error', error: { ...ending.error, ...clean } };
  }
  if (ending.kind === 'task') {
    // Its id is sealed, or replaced, before it leaves.
    const { taskId, ...rest } = ending.task;
    const { clean, instead } = seenPart(rest, redaction);
    return clean === null ? instead : { kind: 'task', task: taskId === undefined ? clean : { ...clean, taskId } };
  }
  if (ending.kind !== 'input') return ending;
  // The state is not read: it is sealed before it leaves, and has to come back as it was.
  const { clean, instead } = seenPart(ending.input.requests as unknown as JsonObject, redaction);
  if (clean === null) return instead;
  return { kind: 'input', input: { ...ending.input, requests: clean as unknown as InputNeeded['requests'] } };
}

type Seen = { readonly clean: JsonObject; readonly instead: null } | { readonly clean: null; readonly instead: Ending };

function seenPart(part: JsonObject, { kinds }: Redaction): Seen {
  if (textIn(part) > mostText) return { clean: null, instead: tooMuch };
  const clean = withTexts(part, cleaner(kinds, []));
  return isJsonObject(clean) ? { clean, instead: null } : { clean: null, instead: named };
}
