import type { JsonObject, JsonValue } from './json.ts';
import { pointerPart } from './json-pointer.ts';
import { credentialKinds, kindsIn, type SecretKind } from './secret-kinds.ts';

/** What a caller sends to a server: the arguments, and beside them answers to its questions and metadata of the request. */
export interface SentParts {
  readonly arguments: JsonObject;
  readonly input_responses: JsonObject | null;
  readonly _meta: JsonObject | null;
}

/** That there is something in what is sent which opens other doors; never what. */
export interface SecretFact {
  /** Where the pointer leads into. */
  readonly part: keyof SentParts;
  /** JSON pointer of the text that holds it; `*` for a member whose name does, since the name would be the text. */
  readonly pointer: string;
  /** `unread` where there is more text than is looked through: a rule against all kinds has to see that, too. */
  readonly kind: SecretKind | 'unread';
}

/** Characters that are looked through: as much as the policy engine takes. */
const mostText = 1024 * 1024;

export function secretFacts(sent: SentParts): readonly SecretFact[] {
  const facts: SecretFact[] = [];
  let left = mostText;
  let part: keyof SentParts = 'arguments';
  const look = (text: string, pointer: string): boolean => {
    // Each costs something, empty ones too.
    left -= text.length + 16;
    if (left < 0 || text.length < 8) return false;
    const before = facts.length;
    for (const kind of new Set(formsOf(text).flatMap((form) => kindsIn(form, credentialKinds))))
      facts.push({ part, pointer, kind });
    return facts.length > before;
  };
  const visit = (value: JsonValue | undefined, pointer: string): void => {
    if (typeof value === 'string') look(value, pointer);
    if (typeof value !== 'object' || value === null || left < 0) return;
    for (const [name, one] of Object.entries(value)) {
      if (left < 0) return;
      const hidden = !Array.isArray(value) && look(name, `${pointer}/*`);
      visit(one, hidden ? `${pointer}/*` : `${pointer}/${pointerPart(name)}`);
    }
  };
  for (part of ['arguments', 'input_responses', '_meta'] as const) {
    visit(sent[part], '');
    if (left < 0) return [...facts, { part, pointer: '', kind: 'unread' }];
  }
  return facts;
}

/** A text as it stands, and as it reads once one layer is taken off: percent signs, the escapes of JSON, base64. */
export function formsOf(text: string): readonly string[] {
  const forms = [text];
  if (text.includes('%')) forms.push(text.replace(/%([2-7][0-9a-f])/gi, fromHex));
  if (/\\[nrtbf]/.test(text)) forms.push(text.replace(/\\[nrtbf]/g, ' '));
  if (text.includes('\\u')) forms.push(text.replace(/\\u(00[2-7][0-9a-f])/gi, fromHex));
  const encoded = text.match(/[A-Za-z0-9+/_-]{24,}/g) ?? [];
  forms.push(encoded.map(decoded).join('\n'));
  return forms;
}

const fromHex = (_: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));

/** Nothing for what is no base64. */
function decoded(text: string): string {
  const whole = text.replaceAll('-', '+').replaceAll('_', '/');
  try {
    return atob(whole.length % 4 === 1 ? whole.slice(0, -1) : whole);
  } catch {
    return '';
  }
}
