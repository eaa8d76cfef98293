import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { Unusable } from './node.ts';

/** Where a `$ref` may lead: nowhere but into the schema that it stands in. */
export interface Places {
  readonly root: JsonValue;
  /** The innermost schema with an `$id` around the `$ref`: what its fragments are about. */
  readonly base: JsonValue;
  readonly ids: ReadonlyMap<string, JsonValue>;
}

/** The schemas inside that carry an `$id`. */
export function gatherIds(root: JsonValue, into = new Map<string, JsonValue>()): ReadonlyMap<string, JsonValue> {
  if (Array.isArray(root)) for (const one of root) gatherIds(one, into);
  else if (isJsonObject(root)) {
    if (typeof root.$id === 'string') into.set(root.$id.replace(/#$/, ''), root);
    for (const one of Object.values(root)) if (one !== undefined) gatherIds(one, into);
  }
  return into;
}

/** @throws Unusable for whatever would have to be fetched, and for what is not there. */
export function resolve(
  ref: string,
  { root, base, ids }: Places,
): { readonly schema: JsonValue; readonly base: JsonValue } {
  const [uri = '', fragment = ''] = ref.split('#', 2);
  const home = uri === '' ? base : (ids.get(uri) ?? (isJsonObject(root) && root.$id === uri ? root : undefined));
  if (home === undefined) throw new Unusable(`it refers to ${JSON.stringify(ref.slice(0, 100))}, outside of itself`);
  const found =
    fragment === '' ? home : fragment.startsWith('/') ? atFragment(home, fragment) : anchored(home, fragment);
  if (found === undefined) throw new Unusable(`it refers to ${JSON.stringify(ref.slice(0, 100))}, which is not there`);
  return { schema: found, base: home };
}

function atFragment(home: JsonValue, fragment: string): JsonValue | undefined {
  let at: JsonValue | undefined = home;
  for (const part of fragment.split('/').slice(1)) {
    const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(name)];
    else if (isJsonObject(at) && Object.hasOwn(at, name)) at = at[name];
    else return undefined;
  }
  return at;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function anchored(value: JsonValue | undefined, name: string, inside = false): JsonObject | undefined {
  if (Array.isArray(value)) return value.map((one) => anchored(one, name, true)).find((one) => one !== undefined);
  if (!isJsonObject(value)) return undefined;
  // Draft-07 wrote an anchor as `$id: "#name"`; any other `$id` keeps the anchors below it to itself.
  if (inside && typeof value.$id === 'string' && !value.$id.startsWith('#')) return undefined;
  if (value.$anchor === name || value.$dynamicAnchor === name || value.$id === `#${name}`) return value;
  for (const one of Object.values(value)) {
    const found = anchored(one, name, true);
    if (found) return found;
  }
  return undefined;
}
