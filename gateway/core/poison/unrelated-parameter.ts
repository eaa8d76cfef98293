import { isJsonObject } from '#gateway/core/json.ts';
import { pointerPart } from '#gateway/core/json-pointer.ts';
import { type Hit, hit } from './finding.ts';
import { nameWords } from './name-words.ts';
import { phrases, phrasesIn } from './phrases.ts';
import type { Subject } from './subject.ts';
import { stop } from './words.ts';

/** What only a model has, by the name of the parameter that asks for it: no tool has business with that. */
const ofTheModel = phrases({
  'a place to put what the tool does not need': [
    'sidenote',
    'side note|notes',
    'private|internal|hidden note|notes',
    'scratchpad|scratch',
    'conversation history|context|so|log|text|messages',
    'chat history|context|log|messages',
    'transcript',
    'system prompt|message',
    'chain of thought',
    'thought|reasoning trace|log|process|chain',
    'previous|prior|past messages|results|tool|conversation|answers',
    'full|whole|entire context|history|conversation|chat',
    'file contents of',
    'model name',
    'other|available tools',
    'user profile|data|info dump',
  ],
});

/** What few tools have business with: one that does says so where it says what it does. */
const ofFewTools = phrases({
  'a place to put what the tool does not need': [
    'secrets',
    'user secret',
    'credential|credentials',
    'api keys',
    'auth tokens',
    'private key',
    'env dump|vars|variables',
    'environment dump|variables',
  ],
});

/** What it says of itself, where its name says nothing. */
const described = phrases({
  'it asks for what was said, or what the model knows': [
    'all|every|complete|entire|full|whole 2 conversation|transcript|chat',
    'all|every messages 2 between|so|here',
    'context window',
    'messages 2 between you',
    'your thoughts|reasoning|memory',
    'tools 4 available to you',
    'tools that ran',
    'what you know|remember',
    'all you know',
    'what was said',
    'which model you',
    'you came to call',
    'last messages',
  ],
});

/** A required parameter without relation to its tool: the simplest way to be handed what a model has in its context. */
export function unrelatedParameter({ on, name, definition, texts }: Subject): readonly Hit[] {
  const schema = definition.inputSchema;
  if (on !== 'tool' || !isJsonObject(schema) || !Array.isArray(schema.required)) return [];
  const about = new Set(nameWords(name));
  const purpose = firstSentence(texts.find((text) => text.pointer === '/description')?.words ?? []);
  const prose = new Map(texts.filter(({ role }) => role === 'prose').map((text) => [text.pointer, text]));
  // Each once: a list that names one parameter ten thousand times would have its description read as often.
  return [...new Set(schema.required)].flatMap((parameter) => {
    if (typeof parameter !== 'string') return [];
    const own = nameWords(parameter);
    if (own.some((word) => about.has(word))) return [];
    const pointer = `/inputSchema/properties/${pointerPart(parameter)}`;
    const says = prose.get(`${pointer}/description`);
    const excused = own.some((word) => purpose.has(word));
    // What is asked of a conversation by a tool that is about conversations is related to it.
    const asked = phrasesIn(says?.words ?? [], described).filter(
      ([, shown]) => !shown.split(' ').some((word) => about.has(word)),
    );
    const found = phrasesIn(own, ofTheModel)[0] ?? (excused ? undefined : phrasesIn(own, ofFewTools)[0]) ?? asked[0];
    return found ? [hit(pointer, `a required parameter: ${found[0]}`, `${parameter}: ${says?.text ?? ''}`)] : [];
  });
}

/** The stems of the sentence in which a tool says what it does. */
const firstSentence = (words: readonly string[]): ReadonlySet<string> =>
  new Set(words.slice(0, words.includes(stop) ? words.indexOf(stop) : words.length));
