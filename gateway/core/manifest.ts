import { canonical } from './canonical.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pointerPart } from './json-pointer.ts';

/** SHA-256 of a text, base64url without padding; the adapter brings it. */
export type Sha256 = (text: string) => string;

/** What a server says of itself, as it was sent: every member kept, nothing normalised. */
export interface Definitions {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly templates: readonly JsonObject[];
  readonly instructions: string | null;
}

export const definitionKinds = ['tool', 'prompt', 'template'] as const;
export type DefinitionKind = (typeof definitionKinds)[number];

export function definitionsOf(definitions: Definitions, kind: DefinitionKind): readonly JsonObject[] {
  return { tool: definitions.tools, prompt: definitions.prompts, template: definitions.templates }[kind];
}

/** `_meta` members that change from answer to answer and say nothing about the definition. */
const volatile = new Set([
  'io.modelcontextprotocol/serverInfo',
  'progressToken',
  'traceparent',
  'tracestate',
  'baggage',
]);

/** The digest formula `mcp-def/1` (identity-and-trust.md §3.2): its version stands inside the pre-image. */
export function definitionDigest(kind: DefinitionKind | 'instructions', definition: JsonValue, sha256: Sha256): string {
  return `sha256-${sha256(`mcp-def/1\0${kind}\0${canonical(withoutVolatile(definition))}`)}`;
}

/** The definition without what no digest covers. Approved definitions are kept and served in this form. */
export function withoutVolatile(definition: JsonObject): JsonObject;
export function withoutVolatile(definition: JsonValue): JsonValue;
export function withoutVolatile(definition: JsonValue): JsonValue {
  if (!isJsonObject(definition) || !isJsonObject(definition._meta)) return definition;
  const kept = Object.entries(definition._meta).filter(([name]) => !volatile.has(name));
  return { ...definition, _meta: Object.fromEntries(kept) };
}

/** What a publisher signs (JWS payload, `typ: mcp-manifest+jws`). */
export interface Manifest {
  readonly v: 1;
  readonly canon: 'mcp-def/1';
  readonly server: {
    readonly id: string;
    /** Where it stands; null for a program. Elsewhere the manifest is worth nothing. */
    readonly url: string | null;
  };
  /** Only ever goes up. */
  readonly seq: number;
  /** Epoch seconds. From `exp` on it is worth nothing: who holds back a newer one gains no more than that. */
  readonly iat: number;
  readonly exp: number;
  readonly tools: Readonly<Record<string, { readonly digest: string }>>;
  readonly prompts: Readonly<Record<string, { readonly digest: string }>>;
  readonly templates: Readonly<Record<string, { readonly digest: string }>>;
  readonly instructions: string | null;
}

/** The highest number that was believed of a server, and the digest of what it stood over. */
export interface SeenManifest {
  readonly seq: number;
  readonly digest: string;
}

export function makeManifest(
  server: Manifest['server'],
  definitions: Definitions,
  stamp: Pick<Manifest, 'seq' | 'iat' | 'exp'>,
  sha256: Sha256,
): Manifest {
  return {
    v: 1,
    canon: 'mcp-def/1',
    server,
    ...stamp,
    tools: digests('tool', definitions.tools, sha256),
    prompts: digests('prompt', definitions.prompts, sha256),
    templates: digests('template', definitions.templates, sha256),
    instructions:
      definitions.instructions === null ? null : definitionDigest('instructions', definitions.instructions, sha256),
  };
}

function digests(kind: DefinitionKind, definitions: readonly JsonObject[], sha256: Sha256): Manifest['tools'] {
  return Object.fromEntries(
    definitions.map((definition) => [
      definitionName(kind, definition),
      { digest: definitionDigest(kind, definition, sha256) },
    ]),
  );
}

export const definitionName = (kind: DefinitionKind, definition: JsonObject): string =>
  String((kind === 'template' ? definition.uriTemplate : definition.name) ?? '');

/** `readded`: nothing of that name is approved, but something was. */
export const driftStates = ['added', 'removed', 'changed', 'renamed', 'readded'] as const;
export type DriftState = (typeof driftStates)[number];

/** One definition that is not what was approved. */
export interface Drift {
  readonly kind: DefinitionKind | 'instructions';
  readonly name: string;
  readonly state: DriftState;
  /** Of what was renamed, the name it was approved under. */
  readonly from?: string;
  /** Of what came back: whether it is what was approved under that name last. */
  readonly as?: 'before' | 'other';
  /** The members that differ, as JSON pointers from the definition. */
  readonly fields: readonly string[];
}

/** Compares what is served now with what was approved. An empty list means: nothing changed. */
export function drift(approved: Definitions, live: Definitions): readonly Drift[] {
  const found: Drift[] = [];
  for (const kind of definitionKinds) {
    found.push(...driftOf(kind, definitionsOf(approved, kind), definitionsOf(live, kind)));
  }
  if (approved.instructions !== live.instructions) {
    found.push({ kind: 'instructions', name: 'instructions', state: 'changed', fields: [''] });
  }
  return found;
}

function driftOf(kind: DefinitionKind, before: readonly JsonObject[], after: readonly JsonObject[]): Drift[] {
  const then = new Map(before.map((definition) => [definitionName(kind, definition), definition]));
  const now = new Map(after.map((definition) => [definitionName(kind, definition), definition]));
  const gone = new Map<string, string[]>();
  for (const [name, definition] of then) {
    if (now.has(name)) continue;
    const key = body(kind, definition);
    gone.set(key, [...(gone.get(key) ?? []), name]);
  }
  const found: Drift[] = [];
  for (const [name, definition] of now) {
    const old = then.get(name);
    if (!old) found.push(newcomer(kind, name, definition, gone));
    else {
      const fields = differences(withoutVolatile(old), withoutVolatile(definition), '');
      if (fields.length > 0) found.push({ kind, name, state: 'changed', fields });
    }
  }
  for (const name of then.keys()) if (!now.has(name)) found.push({ kind, name, state: 'removed', fields: [] });
  return found;
}

/** @param gone By body, the names that are no longer served. What is gone and comes back under another name is the same tool in other words: a reviewer should see that at once. */
function newcomer(
  kind: DefinitionKind,
  name: string,
  definition: JsonObject,
  gone: ReadonlyMap<string, readonly string[]>,
): Drift {
  const [from, ...others] = gone.size === 0 ? [] : (gone.get(body(kind, definition)) ?? []);
  if (from === undefined || others.length > 0) return { kind, name, state: 'added', fields: [] };
  const field = kind === 'template' ? '/uriTemplate' : '/name';
  return { kind, name, state: 'renamed', from, fields: [field] };
}

/** What it is, whatever it is called and however it is praised. */
const body = (kind: DefinitionKind, definition: JsonObject): string => {
  const called = kind === 'template' ? { uriTemplate: '' } : { name: '' };
  return canonical({ ...withoutVolatile(definition), ...called, title: '', description: '' });
};

function differences(before: JsonValue, after: JsonValue, at: string): string[] {
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => {
      const one = ownMember(before, name);
      const other = ownMember(after, name);
      if (one === undefined || other === undefined) return one === other ? [] : [`${at}/${pointerPart(name)}`];
      return differences(one, other, `${at}/${pointerPart(name)}`);
    });
  }
  return canonical(before) === canonical(after) ? [] : [at];
}

/** A member may be named as something that every object inherits. */
const ownMember = (of: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined;
