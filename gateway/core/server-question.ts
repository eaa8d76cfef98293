import type { InputRequest } from './exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { urlFact } from './url-facts.ts';

/** What a server asks of a caller in the middle of a call, as a policy sees it: what kind of question it is, not its words. */
export interface ServerQuestion {
  readonly phase: 'elicit' | 'sample';
  readonly method: string;
  readonly elicitation: Elicitation | null;
  readonly sampling: Sampling | null;
}

interface Elicitation {
  /** `unknown` for one that is neither: no client has to know what it is. */
  readonly mode: 'form' | 'url' | 'unknown';
  /** Of the page that a person is sent to. Null for a form, and where it is not sure (url-facts.ts). */
  readonly scheme: string | null;
  readonly host: string | null;
  /** True where a form seems to want a password, a key or the like (form mode must not, basic/patterns/mrtr). */
  readonly asks_secret: boolean;
}

interface Sampling {
  readonly max_tokens: number | null;
  /** What of the context of other servers it wants to be shown; `unknown` for what no revision has. */
  readonly include_context: 'none' | 'thisServer' | 'allServers' | 'unknown';
  /** Whether the model may call tools. */
  readonly tools: boolean;
}

/** Null for a question that says nothing about itself (`roots/list`): what is answered to it is judged. */
export function serverQuestion(method: string, params: JsonObject): ServerQuestion | null {
  if (method === 'elicitation/create')
    return { phase: 'elicit', method, elicitation: elicitationOf(params), sampling: null };
  if (method === 'sampling/createMessage')
    return { phase: 'sample', method, elicitation: null, sampling: samplingOf(params) };
  return null;
}

const mostPages = 16;

/** The pages that an error −32042 of the older era sends a person to, as questions; null where they cannot be read. */
export function pagesOf(data: unknown): readonly InputRequest[] | null {
  const pages = isJsonObject(data) && Array.isArray(data.elicitations) ? data.elicitations : null;
  if (pages === null || pages.length > mostPages) return null;
  const questions = pages.flatMap((page) =>
    isJsonObject(page) && typeof page.url === 'string'
      ? { method: 'elicitation/create', params: { ...page, mode: 'url' } }
      : [],
  );
  return questions.length === pages.length ? questions : null;
}

function elicitationOf({ mode = 'form', url, message, requestedSchema }: JsonObject): Elicitation {
  if (mode === 'url') {
    const { scheme, host } = urlFact(typeof url === 'string' ? url : '');
    return { mode, scheme, host, asks_secret: false };
  }
  const known = mode === 'form' ? mode : 'unknown';
  return { mode: known, scheme: null, host: null, asks_secret: asksSecret([message, requestedSchema]) };
}

function samplingOf({ maxTokens, includeContext = 'none', tools, toolChoice }: JsonObject): Sampling {
  const known = includeContext === 'none' || includeContext === 'thisServer' || includeContext === 'allServers';
  return {
    max_tokens: typeof maxTokens === 'number' ? maxTokens : null,
    include_context: known ? includeContext : 'unknown',
    tools: tools !== undefined || toolChoice !== undefined,
  };
}

/** Words for what opens other doors, as forms name it: parts of words in the first line, whole words in the second. */
const secretWords = [
  /pass ?(?:word|phrase|code|wd)|secret|credential|(?:api|private|access|ssh|signing|encryption) ?key|mnemonic|seed phrase/,
  /\b(?:token|otp|pin|cvv|cvc|ssn|pwd)\b|one time|(?:security|verification) code|(?:card|account) number/,
] as const;

/** Members and texts that are looked at: a form is flat and small, and one that is not is taken for one that asks. */
const most = { values: 2_000, text: 64 * 1024 } as const;

function asksSecret(asked: readonly (JsonValue | undefined)[]): boolean {
  const left = { values: most.values, text: most.text };
  const wants = (text: string): boolean => {
    left.text -= text.length;
    // apiKey, api_key and API-KEY are one word written three ways; letters that only look like others are left as they are.
    const plain = text
      .normalize('NFKC')
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .replace(/[\s_-]+/g, ' ')
      .toLowerCase();
    return left.text < 0 || secretWords.some((words) => words.test(plain));
  };
  const look = (value: JsonValue | undefined): boolean => {
    left.values -= 1;
    if (left.values < 0) return true;
    if (typeof value === 'string') return wants(value);
    if (Array.isArray(value)) return value.some(look);
    return isJsonObject(value) && Object.entries(value).some(([name, one]) => wants(name) || look(one));
  };
  return asked.some(look);
}
