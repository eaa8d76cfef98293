import { mostDepth, nestsDeeper } from '#gateway/core/definition-set.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { showSize } from '#gateway/core/units.ts';
import type { Live } from '#gateway/ports.ts';

const most = { pages: 100, definitions: 512, data: 10_000, bytes: 64 * 1024, together: 2.5 * 1024 ** 2 } as const;

type Ask = (method: string, params: JsonObject) => Promise<JsonObject>;

interface List {
  readonly method: string;
  /** The member of the result that holds the items. */
  readonly member: string;
  /** The member that names an item, unique in the whole list, and what such a name may look like. */
  readonly name: string;
  readonly shape: RegExp;
  /**
   * Definitions are believed whole or not at all: half a list would read as "removed". Of data, what is too much is left
   * out, so that a server with a million resources can still be used for its tools.
   */
  readonly of: 'definitions' | 'data';
}

const named = /^[A-Za-z0-9_.\-/]{1,128}$/;
const visible = /^[^\p{Cc}\p{Z}]{1,2048}$/u;

const tools: List = { method: 'tools/list', member: 'tools', name: 'name', shape: named, of: 'definitions' };
const prompts: List = { method: 'prompts/list', member: 'prompts', name: 'name', shape: named, of: 'definitions' };
const resources: List = { method: 'resources/list', member: 'resources', name: 'uri', shape: visible, of: 'data' };
const templates: List = {
  method: 'resources/templates/list',
  member: 'resourceTemplates',
  name: 'uriTemplate',
  shape: visible,
  of: 'definitions',
};

/**
 * Everything a server lists, all pages. `request` throws when it gets no result: an error with its JSON-RPC code as
 * `code`. A list of definitions that cannot be believed (an item twice, without end, too large) throws a sentence.
 */
export async function gatherDefinitions(
  request: Ask,
  capabilities: JsonObject,
  instructions: string | null,
): Promise<Live> {
  if (instructions !== null && Buffer.byteLength(instructions) > most.bytes) {
    throw new Error(`its instructions are longer than ${showSize(most.bytes)}`);
  }
  const listed = async (capability: string, list: List): Promise<readonly JsonObject[]> =>
    isJsonObject(capabilities[capability]) ? gather(request, list) : [];
  const definitions = {
    tools: await listed('tools', tools),
    prompts: await listed('prompts', prompts),
    templates: await listed('resources', templates),
    instructions,
  };
  // All of it is digested and looked at, again and again: what is more than any published server lists is no menu.
  if (Buffer.byteLength(JSON.stringify(definitions)) > most.together) {
    throw new Error(`its definitions together are larger than ${showSize(most.together)}`);
  }
  return {
    definitions,
    resources: await listed('resources', resources),
    capabilities,
  };
}

async function gather(request: Ask, list: List): Promise<readonly JsonObject[]> {
  const items = new Map<string, JsonObject>();
  let params: JsonObject = {};
  for (let page = 0; page < most.pages; page++) {
    const result = await asked(request, list, params);
    const part = result[list.member];
    if (!Array.isArray(part)) throw unusable(list, `has no array "${list.member}"`);
    for (const item of part) take(items, list, item);
    // A missing cursor ends the list; an empty one is a cursor like any other.
    if (result.nextCursor === undefined || result.nextCursor === null) return [...items.values()];
    if (typeof result.nextCursor !== 'string') throw unusable(list, 'has a cursor that is not a string');
    params = { cursor: result.nextCursor };
  }
  if (list.of === 'data') return [...items.values()];
  throw unusable(list, `has more than ${most.pages} pages`);
}

/** A server that declares a capability need not know every list of it; one that gave a page knows it. */
async function asked(request: Ask, list: List, params: JsonObject): Promise<JsonObject> {
  try {
    return await request(list.method, params);
  } catch (error) {
    const unknown = error instanceof Error && 'code' in error && error.code === -32601;
    if (unknown && params.cursor === undefined) return { [list.member]: [] };
    throw error;
  }
}

function take(items: Map<string, JsonObject>, list: List, item: unknown): void {
  if (!isJsonObject(item)) throw unusable(list, 'holds something that is not an object');
  const name = item[list.name];
  if (typeof name !== 'string' || name === '') throw unusable(list, `holds an item without "${list.name}"`);
  const flaw = flawOf(items, list, name, item);
  if (flaw === null) items.set(name, item);
  else if (list.of === 'definitions') throw unusable(list, flaw);
}

function flawOf(items: Map<string, JsonObject>, list: List, name: string, item: JsonObject): string | null {
  const shown = `"${name.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?')}"`;
  if (!list.shape.test(name)) return `holds the name ${shown}, which is not one`;
  if (items.has(name)) return `names ${shown} twice`;
  if (items.size >= most[list.of]) return `holds more than ${most[list.of]} items`;
  if (nestsDeeper(item, mostDepth)) return `nests deeper than ${mostDepth} in ${shown}`;
  if (Buffer.byteLength(JSON.stringify(item)) > most.bytes)
    return `holds more than ${showSize(most.bytes)} in ${shown}`;
  return null;
}

const unusable = (list: List, what: string): Error => new Error(`its answer to ${list.method} ${what}`);
