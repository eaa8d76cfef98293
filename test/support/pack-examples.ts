import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askCompiler } from '#gateway/adapters/policy/compiler.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { readSources } from '#gateway/adapters/policy/sources.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { aToolchain, packFolder } from './rego.ts';

/** What a pack says of a call: rows by the set that they are in. */
export type Rows = Readonly<Record<string, readonly JsonValue[]>>;

/** Asks the whole catalogue about changes of the example input, with these packs on: what they add to what is said without. */
export async function askPacks(): Promise<(packs: JsonObject, changes: JsonObject) => Rows> {
  const sources = await readSources(packFolder);
  if ('errors' in sources) throw new Error(JSON.stringify(sources.errors));
  const request = { mode: 'build', files: sources.rules, data: {}, entrypoints: ['sekisho/decision'] } as const;
  const { wasm = '', diagnostics } = await askCompiler(await aToolchain(), request);
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  const module = new Uint8Array(Buffer.from(wasm, 'base64'));
  const example = JSON.parse(await readFile(join(packFolder, 'example-input.json'), 'utf8')) as JsonObject;
  const judged = (packs: JsonObject, input: JsonObject) =>
    createPolicyEngine({ revision: 'test', wasm: module, data: { ...sources.data, packs } }).judge(input) as Rows;
  return (packs, changes) => {
    const input = changed(example, changes);
    const without = judged({}, input);
    const added = Object.entries(judged(packs, input)).map(([set, rows]) => {
      const before = new Set(without[set]?.map((row) => JSON.stringify(row)));
      return [set, rows.filter((row) => !before.has(JSON.stringify(row)))] as const;
    });
    return Object.fromEntries(added.filter(([, rows]) => rows.length > 0));
  };
}

function changed(value: JsonObject, changes: JsonObject): JsonObject {
  const after: JsonObject = { ...value };
  for (const [name, change] of Object.entries(changes)) {
    const before = after[name];
    // Arguments are a caller's: those of the example are not of another call.
    const merges = isJsonObject(before) && isJsonObject(change) && name !== 'arguments';
    after[name] = merges ? changed(before, change) : change;
  }
  return after;
}
