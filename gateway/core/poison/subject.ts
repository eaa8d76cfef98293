import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { pointerPart } from '#gateway/core/json-pointer.ts';
import { type DefinitionKind, definitionName } from '#gateway/core/manifest.ts';
import { wordsOf } from './words.ts';

/** A string somewhere in a definition: a value, or the name of a member. */
export interface Text {
  /** JSON pointer of the value, or of the member that is so named. */
  readonly pointer: string;
  readonly text: string;
  readonly role: 'name' | 'member' | 'prose' | 'value';
  /** Folded and cut into words, with sentence ends between. */
  readonly words: readonly string[];
}

/** One definition as the checks read it: every string at any depth, once. */
export interface Subject {
  readonly on: DefinitionKind | 'instructions';
  readonly name: string;
  readonly definition: JsonObject;
  readonly texts: readonly Text[];
}

export function subjectOf(on: DefinitionKind, definition: JsonObject): Subject {
  const texts: Text[] = [];
  gather(definition, '', '', texts);
  return { on, name: definitionName(on, definition), definition, texts };
}

export function instructionsSubject(instructions: string): Subject {
  const text: Text = { pointer: '', text: instructions, role: 'prose', words: wordsOf(instructions) };
  return { on: 'instructions', name: 'instructions', definition: {}, texts: [text] };
}

const prose: ReadonlySet<string> = new Set(['description', 'title', '$comment', 'summary', 'markdownDescription']);

/** Members that the protocol or JSON Schema names: they are no text of the server's. */
const known: ReadonlySet<string> = new Set(
  [...prose].concat(
    'name type properties required items enum default const examples format pattern anyOf oneOf allOf not'.split(' '),
    'inputSchema outputSchema annotations icons _meta execution arguments $schema $defs definitions $ref'.split(' '),
    'additionalProperties readOnlyHint destructiveHint idempotentHint openWorldHint minimum maximum'.split(' '),
  ),
);

/** Recursion is bounded: no definition nests deeper than `mostDepth` of definition-set.ts. */
function gather(value: JsonValue | undefined, pointer: string, member: string, into: Text[]): void {
  if (typeof value === 'string') {
    const role = pointer === '/name' ? 'name' : prose.has(member) ? 'prose' : 'value';
    into.push({ pointer, text: value, role, words: wordsOf(value) });
  } else if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) gather(one, `${pointer}/${index}`, member, into);
  } else if (isJsonObject(value)) {
    for (const [name, one] of Object.entries(value)) {
      const at = `${pointer}/${pointerPart(name)}`;
      if (!known.has(name)) into.push({ pointer: at, text: name, role: 'member', words: wordsOf(name) });
      gather(one, at, name, into);
    }
  }
}
