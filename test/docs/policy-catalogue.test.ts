import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { askPacks, type Rows } from '#test/support/pack-examples.ts';
import { buildTimeout, packFolder, repository } from '#test/support/rego.ts';

/** A section of the page: its pack, the settings, what differs in the call, and what the pack then adds to the decision. */
interface Example {
  readonly pack: string;
  readonly blocks: readonly string[];
}

const page = await readFile(join(repository, 'docs', 'policy-catalogue.md'), 'utf8');
const examples: readonly Example[] = page
  .split(/^### `/m)
  .slice(1)
  .map((section) => ({
    pack: section.slice(0, section.indexOf('`')),
    blocks: [...section.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) => json),
  }));

let ask: (packs: JsonObject, changes: JsonObject) => Rows;

beforeAll(async () => {
  ask = await askPacks();
}, buildTimeout);

test('the page of the catalogue has every pack that is shipped, and no other', async () => {
  const files = (await readdir(join(packFolder, 'packs'))).filter((name) => name.endsWith('_pack.rego'));
  expect(examples.map(({ pack }) => `${pack}_pack.rego`).sort()).toEqual(files.sort());
});

describe('an example of the catalogue says what really happens:', () => {
  test.each(examples)('$pack', ({ pack, blocks }) => {
    const [settings, changes, added] = blocks.map((block) => JSON.parse(block) as JsonObject);
    expect(Object.keys(settings ?? {})).toEqual([pack]);
    expect(ask(settings ?? {}, changes ?? {})).toEqual(added);
    // And it is the pack that says so: with others on, and this one off, nothing is said.
    expect(ask({}, changes ?? {})).toEqual({});
  });
});
