import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { pointerName } from '#gateway/core/json-pointer.ts';
import { Unusable } from './node.ts';

/** Where a `$ref` may lead: nowhere but into the schema that it stands in. */
export interface Places {
  readonly root: JsonValue;
  /** The schemas inside that carry an `$id`. */
  readonly ids: ReadonlyMap<string, JsonValue>;
  /** By the schema whose fragments they are: the anchors in it, by name. */
  readonly anchors: ReadonlyMap<JsonValue, ReadonlyMap<string, JsonObject>>;
}

/** Gathered once: looking for one at each `$ref` would take the square of their number. */
export function placesIn(root: JsonValue): Places {
  const ids = new Map<string, JsonValue>();
  const anchors = new Map<JsonValue, Map<string, JsonObject>>([[root, new Map()]]);
  gather(root, root);
  return { root, ids, anchors };

  function gather(value: JsonValue | undefined, home: JsonValue): void {
    if (Array.isArray(value)) for (const one of value) gather(one, home);
    if (!isJsonObject(value)) return;
    const { $id: id, $anchor: anchor, $dynamicAnchor: dynamic } = value;
    let own = home;
    // Draft-07 wrote an anchor as `$id: "#name"`; any other `$id` keeps the anchors below it to itself.
    if (typeof id === 'string' && !id.startsWith('#')) {
      ids.set(id.replace(/#$/, ''), value);
      own = value;
    }
    const names = anchors.get(own) ?? new Map<string, JsonObject>();
    anchors.set(own, names);
    for (const name of [anchor, dynamic, typeof id === 'string' && id.startsWith('#') ? id.slice(1) : undefined]) {
      if (typeof name === 'string' && !names.has(name)) names.set(name, value);
    }
    for (const one of Object.values(value)) gather(one, own);
  }
}

/** @param base The innermost schema with an `$id` around the `$ref`: what its fragments are about.
 *  @throws Unusable for whatever would have to be fetched, and for what is not there. */
export function resolve(
  ref: string,
  base: JsonValue,
  { root, ids, anchors }: Places,
): { readonly schema: JsonValue; readonly base: JsonValue } {
  const [uri = '', fragment = ''] = ref.split('#', 2);
  const home = uri === '' ? base : (ids.get(uri) ?? (isJsonObject(root) && root.$id === uri ? root : undefined));
  if (home === undefined) throw new Unusable(`it refers to ${JSON.stringify(ref.slice(0, 100))}, outside of itself`);
  const found =
    fragment === '' ? home : fragment.startsWith('/') ? atFragment(home, fragment) : anchors.get(home)?.get(fragment);
  if (found === undefined) throw new Unusable(`it refers to ${JSON.stringify(ref.slice(0, 100))}, which is not there`);
  return { schema: found, base: home };
}

function atFragment(home: JsonValue, fragment: string): JsonValue | undefined {
  let at: JsonValue | undefined = home;
  for (const part of fragment.split('/').slice(1)) {
    const name = pointerName(decoded(part));
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
