import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { pointerPart } from '#gateway/core/json-pointer.ts';
import { secrecy } from '#gateway/core/poison/asks-secrecy.ts';
import { commands } from '#gateway/core/poison/commands-model.ts';
import { type Phrases, phrasesIn } from '#gateway/core/poison/phrases.ts';
import { sending } from '#gateway/core/poison/sends-elsewhere.ts';
import { folded, wordsOf } from '#gateway/core/poison/words.ts';
import { formsOf } from '#gateway/core/secret-facts.ts';
import { kindsIn, type SecretKind, secretKinds } from '#gateway/core/secret-kinds.ts';
import { carriesOut } from './carrying-link.ts';
import { baiting, instructing } from './phrases.ts';

const ownKinds = [
  ...(['instructs_model', 'asks_secrecy', 'asks_prompt', 'asks_wider', 'other_tool', 'carries_out'] as const),
  'unread',
] as const;

export type FindingKind = SecretKind | (typeof ownKinds)[number];

export const findingKinds: readonly FindingKind[] = [...secretKinds, ...ownKinds];

/** That something stands in an answer; never the text. */
export interface ResultFinding {
  readonly kind: FindingKind;
  /** JSON pointer into the result; `*` for a member whose name it is. `unread`, at '', is of all that was not looked at. */
  readonly pointer: string;
}

/** An answer as the policy sees it. */
export interface ResultFacts {
  readonly is_error: boolean;
  /** The types of its content, and their media types. */
  readonly types: readonly string[];
  readonly findings: readonly ResultFinding[];
}

/** Characters of one answer that are looked at, which takes 50 ms at most: the event loop waits so long. */
const mostText = 256 * 1024;
const mostFindings = 64;
const mostTypes = 16;

export function resultFacts(result: JsonObject, isError: boolean): ResultFacts {
  const findings: ResultFinding[] = [];
  let left = mostText;
  const look = (text: string, pointer: string): boolean => {
    // Each costs something, empty ones too.
    left -= text.length + 16;
    if (left < 0) return false;
    const kinds = kindsOf(text, isError);
    for (const kind of kinds) findings.push({ kind, pointer });
    return kinds.length > 0;
  };
  const visit = (value: JsonValue | undefined, pointer: string): void => {
    if (left < 0 || findings.length >= mostFindings) return;
    if (typeof value === 'string') look(value, pointer);
    if (typeof value !== 'object' || value === null) return;
    const media = Array.isArray(value) ? null : mediaOf(value);
    for (const [name, one] of Object.entries(value)) {
      const named = !Array.isArray(value) && look(name, `${pointer}/*`);
      const at = named ? `${pointer}/*` : `${pointer}/${pointerPart(name)}`;
      // Pictures and sounds are no text; a text that is sent as bytes is one.
      const bytes = media !== null && (name === 'data' || name === 'blob') && typeof one === 'string';
      if (!bytes) visit(one, at);
      else if (isText(media)) visit(fromBase64(one), at);
    }
  };
  visit(result, '');
  const whole = left >= 0 && findings.length < mostFindings;
  if (!whole) findings.splice(mostFindings - 1, findings.length, { kind: 'unread', pointer: '' });
  return { is_error: isError, types: typesOf(result), findings };
}

function kindsOf(text: string, isError: boolean): readonly FindingKind[] {
  if (text.length < 8) return [];
  const kinds = new Set<FindingKind>(formsOf(text).flatMap((form) => kindsIn(form, secretKinds)));
  const words = wordsOf(text);
  for (const [table, kindOf] of isError ? [...tables, bait] : tables)
    for (const [why] of phrasesIn(words, table)) {
      const kind = kindOf(why);
      if (kind !== null) kinds.add(kind);
    }
  if (isMarked(text)) kinds.add('instructs_model');
  if (carriesOut(text)) kinds.add('carries_out');
  return [...kinds];
}

type Table = readonly [table: Phrases, kindOf: (why: string) => FindingKind | null];

/** What is said in definitions and must not be in answers either; the rest of that table is in every manual. */
const alsoHere: Readonly<Record<string, FindingKind>> = {
  'tells the model to ignore what it was told': 'instructs_model',
  'takes the word of the user, or a confirmation, into its own hands': 'instructs_model',
  'changes what other tools are given': 'instructs_model',
  'wants what was said, or what the model thinks': 'asks_prompt',
};

const tables: readonly Table[] = [
  [instructing, (why) => why as FindingKind],
  [commands, (why) => alsoHere[why] ?? null],
  [secrecy, () => 'asks_secrecy'],
  [sending, () => 'carries_out'],
];
/** Only in what went wrong: a manual has to say which tool to use. */
const bait: Table = [baiting, (why) => why as FindingKind];

/** How chat templates mark who speaks: no result is part of a template. */
const marks = ['<|im_start|>', '<|system|>', '<|start_header_id|>', '[inst]', '<<sys>>', '<system>', '<important>'];

function isMarked(text: string): boolean {
  if (!/[<[]/.test(text)) return false;
  const low = folded(text);
  return marks.some((mark) => low.includes(mark));
}

const mediaOf = ({ mimeType }: JsonObject): string | null => (typeof mimeType === 'string' ? mimeType : null);
const isText = (media: string): boolean => /^text\/|[/+](?:json|xml|yaml|javascript)\b/i.test(media);

function fromBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(text));
  } catch {
    return text;
  }
}

function typesOf({ content, contents }: JsonObject): readonly string[] {
  const types = new Set<string>();
  for (const list of [content, contents]) {
    if (!Array.isArray(list)) continue;
    for (const one of list) {
      if (!isJsonObject(one)) continue;
      const inner = isJsonObject(one.resource) ? one.resource : one;
      for (const type of [one.type, inner.mimeType])
        if (typeof type === 'string' && types.size < mostTypes) types.add(type.slice(0, 64).toLowerCase());
    }
  }
  return [...types].sort();
}
