import { isFlaw, isJsonObject, type JsonObject, type JsonValue, parseStrict } from './json.ts';
import { looksAtSettled } from './judge.ts';
import type { Said } from './verdict-changes.ts';

/** One line of a decision log, as far as it is judged again. */
export interface Recorded {
  readonly id: string;
  readonly target: string;
  readonly principal: string;
  readonly said: Said;
  readonly input: JsonObject;
  /** Layers were asked, too: what one policy says by itself is another question. */
  readonly layered: boolean;
  /** Pointers of what is not in the input any more. */
  readonly erased: readonly string[];
}

const verdicts = ['allow', 'ask', 'deny', 'unusable'] as const;

/** Null for what is no decision of this gateway's: a line cut short, another path, something that was tampered with. */
export function recorded(line: string): Recorded | null {
  const read = parseStrict(line, 80);
  if (isFlaw(read) || !isJsonObject(read.value)) return null;
  const { decision_id: id, bundles, path, input, result, requested_by: principal, erased, mcp } = read.value;
  const verdict = isJsonObject(result) ? verdicts.find((one) => one === result.verdict) : undefined;
  const codes = isJsonObject(result) ? texts(result.codes) : null;
  if (path !== 'sekisho/decision' || !isJsonObject(input) || verdict === undefined || codes === null) return null;
  if (typeof id !== 'string' || typeof principal !== 'string') return null;
  const target = isJsonObject(mcp) ? `${mcp.server}/${mcp.name}` : '';
  const layered = isJsonObject(bundles) && Object.keys(bundles).some((name) => name !== 'policy');
  return { id, target, principal, said: { verdict, codes }, input, layered, erased: texts(erased) ?? [] };
}

/**
 * Whether a policy that refers to these paths of the input looks at what was erased: then what it would say is not known,
 * which is not the same as no change. `''` is all of the input.
 */
export function erasedFor({ erased }: Pick<Recorded, 'erased'>, refs: readonly string[]): boolean {
  const gone = erased.map((pointer) => pointer.split('/').slice(2));
  return refs.some((ref) => {
    const looked = ref === '' ? [] : ref.split('.');
    return gone.some((path) => path.every((key, at) => at >= looked.length || looked[at] === key));
  });
}

/**
 * A recorded document as the gateway would have shown it to a policy that refers to these paths: one that does not look at
 * arguments is not shown any (judge.ts), so that none can be too many for it.
 */
export function shown({ input }: Pick<Recorded, 'input'>, refs: readonly string[]): JsonObject {
  if (!looksAtSettled(refs)) return input;
  const run = isJsonObject(input.run)
    ? { ...input.run, budget: null, taint: null, sensitivity: null }
    : (input.run ?? null);
  const unshown = { arguments: {}, input_responses: null, elicitation: null, sampling: null };
  return { ...input, run, ...unshown, args: { bytes: 0, truncated: false, sha256: null } };
}

const texts = (value: JsonValue | undefined): readonly string[] | null =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : null;
