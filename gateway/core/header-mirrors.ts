import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * Headers that repeat a part of the body, so that who stands on the way need not parse it (protocol.md A4, SEP-2243). The
 * gateway is the client of a modern server, so it writes them anew for every call, from what was judged.
 */
export interface HeaderMirror {
  /** In lower case: `mcp-param-region`. */
  readonly header: string;
  /** Member names from the arguments down. */
  readonly path: readonly string[];
}

export interface MirrorFlaw {
  readonly mirrorFlaw: string;
}

export const isMirrorFlaw = (value: unknown): value is MirrorFlaw => isJsonObject(value) && 'mirrorFlaw' in value;

const annotation = 'x-mcp-header';
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;
/** No `number`: two programs write one in two ways. */
const primitives: readonly unknown[] = ['string', 'integer', 'boolean'];

/** Where a schema holds schemas, besides `properties`: one, several, or one for each name. */
const inside: Readonly<Record<string, 'one' | 'several' | 'named'>> = {
  ...{
    items: 'one',
    contains: 'one',
    additionalProperties: 'one',
    unevaluatedItems: 'one',
    unevaluatedProperties: 'one',
  },
  ...{ propertyNames: 'one', not: 'one', if: 'one', else: 'one', contentSchema: 'one', additionalItems: 'one' },
  ...{ prefixItems: 'several', allOf: 'several', anyOf: 'several', oneOf: 'several' },
  ...{ patternProperties: 'named', dependentSchemas: 'named', $defs: 'named', definitions: 'named' },
};
const conditional = 'then';

/**
 * What a tool's input schema wants mirrored, or why nobody may offer the tool: an annotation in a place that no argument
 * certainly stands in, on something that is no plain value, or twice under one name.
 */
export function headerMirrors(inputSchema: JsonValue | undefined): readonly HeaderMirror[] | MirrorFlaw {
  const mirrors = new Map<string, HeaderMirror>();
  const flaw = isJsonObject(inputSchema) ? collect(inputSchema, [], mirrors) : null;
  return flaw === null ? [...mirrors.values()] : { mirrorFlaw: flaw };
}

/** `path` is null where arguments need not stand: below anything but `properties`. */
function collect(
  schema: JsonObject,
  path: readonly string[] | null,
  mirrors: Map<string, HeaderMirror>,
): string | null {
  if (Object.hasOwn(schema, annotation)) {
    const flaw = take(schema, path, mirrors);
    if (flaw !== null) return flaw;
  }
  const { properties } = schema;
  for (const [name, child] of isJsonObject(properties) ? Object.entries(properties) : []) {
    const flaw = isJsonObject(child) ? collect(child, path && [...path, name], mirrors) : null;
    if (flaw !== null) return flaw;
  }
  for (const child of otherSchemas(schema)) {
    const flaw = isJsonObject(child) ? collect(child, null, mirrors) : null;
    if (flaw !== null) return flaw;
  }
  return null;
}

function take(schema: JsonObject, path: readonly string[] | null, mirrors: Map<string, HeaderMirror>): string | null {
  const name = schema[annotation];
  if (!path || path.length === 0) return `"${annotation}" stands where no argument certainly does`;
  if (typeof name !== 'string' || !token.test(name)) return `"${annotation}" at /${path.join('/')} is no header name`;
  if (!primitives.includes(schema.type)) return `"${annotation}" at /${path.join('/')} is not on a plain value`;
  const header = `mcp-param-${name.toLowerCase()}`;
  if (mirrors.has(header)) return `"${annotation}" names "${name}" twice`;
  mirrors.set(header, { header, path });
  return null;
}

function* otherSchemas(schema: JsonObject): Generator<JsonValue | undefined> {
  yield schema[conditional];
  for (const [keyword, how] of Object.entries(inside)) {
    const child = schema[keyword];
    if (how === 'named') yield* isJsonObject(child) ? Object.values(child) : [];
    else if (Array.isArray(child)) yield* child;
    else yield child;
  }
}

/** Which member of the parameters `Mcp-Name` mirrors, by method; the last three are of the tasks extension (A4). */
const named: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** The member that `Mcp-Name` mirrors, or null for a method that has no such header. */
export const nameMember = (method: string): string | null => named.get(method) ?? null;

/** What `Mcp-Name` has to say, not encoded yet; null when the message has no such header. */
export function mirroredName(method: string, params: JsonObject): string | null {
  const member = nameMember(method);
  const name = member === null ? null : params[member];
  return typeof name === 'string' ? name : null;
}

/** The argument that a mirror is of. */
export function argumentAt(args: JsonObject, { path }: HeaderMirror): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

/** The headers for these arguments: what is absent, null or no plain value has none. */
export function mirrorHeaders(mirrors: readonly HeaderMirror[], args: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const mirror of mirrors) {
    const value = argumentAt(args, mirror);
    const plain = typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number';
    if (plain) headers[mirror.header] = encodeSentinel(String(value));
  }
  return headers;
}

/** A text as a header can carry it (A4 §Value Encoding); `decodeSentinel` in header-agreement.ts is its counterpart. */
export function encodeSentinel(text: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
  if (plain && !(text.startsWith('=?base64?') && text.endsWith('?='))) return text;
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return `=?base64?${btoa(bytes)}?=`;
}
