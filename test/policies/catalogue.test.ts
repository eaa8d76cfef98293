import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { preparePolicy } from '#gateway/adapters/policy/prepare.ts';
import { startGateway } from '#test/support/gateway.ts';
import { aTool, startListing } from '#test/support/listing-server.ts';
import { openSession, reasonOf } from '#test/support/messages.ts';
import { aToolchain, buildTimeout, packFolder, repository } from '#test/support/rego.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;

beforeEach(async () => {
  folder = await scratchFolder();
  for (const part of ['sekisho', 'packs', 'data.json'])
    await cp(join(packFolder, part), folder.at(part), { recursive: true });
});
afterEach(() => folder[Symbol.asyncDispose]());

async function switchOn(packs: object): Promise<void> {
  const data = JSON.parse(await readFile(join(packFolder, 'data.json'), 'utf8')) as object;
  await writeFile(folder.at('data.json'), JSON.stringify({ ...data, packs }));
}

const prepare = async () => preparePolicy({ directory: folder.path, toolchain: await aToolchain() });

/** As the page shows them. */
async function examples(): Promise<Record<string, object>> {
  const page = await readFile(join(repository, 'docs', 'policy-catalogue.md'), 'utf8');
  const sections = page.split(/^### `/m).slice(1);
  const settings = sections.map((section) => JSON.parse(/^```json\n(.*?)^```$/ms.exec(section)?.[1] ?? '{}') as object);
  return Object.assign({}, ...settings) as Record<string, object>;
}

test('the whole catalogue can be switched on at once, and its folder still passes its own tests', {
  timeout: buildTimeout,
}, async () => {
  const packs = await examples();
  expect(Object.keys(packs).length).toBeGreaterThan(20);
  await switchOn(packs);
  const made = await prepare();
  expect('errors' in made ? made.errors : []).toEqual([]);
});

test('settings that are not those of a pack never come into force', { timeout: buildTimeout }, async () => {
  await switchOn({ hours: { actions: ['write'], weekdays: ['mon'], from: '8:00', until: 18 } });
  expect(await prepare()).toMatchObject({ errors: [{ code: 'test_failed', file: 'sekisho/packs_test.rego' }] });
});

test('a pack is switched on and off under a gateway that runs', { timeout: buildTimeout }, async () => {
  const server = await startListing([aTool('look'), aTool('change')]);
  const tools = { look: { action: 'read' }, change: { action: 'write' } };
  const up = { tier: 'internal', url: server.url, tools };
  const sekisho = await startGateway({ servers: { up }, policy: { path: folder.path } });
  try {
    const session = await openSession(sekisho);
    const { policy } = sekisho.gateway;
    expect(reasonOf(await session.call('up__change'))).toBeNull();
    await switchOn({ read_only: { on: true, freezes: [] } });
    await policy.reload();
    expect(reasonOf(await session.call('up__change'))).toBe('tool_unknown');
    expect((await sekisho.audit()).at(-1)).toMatchObject({ decision: { codes: ['READ_ONLY'] } });
    expect(reasonOf(await session.call('up__look'))).toBeNull();
    await switchOn({ read_only: { on: 'no' } });
    await policy.reload();
    // Broken: the one that was good goes on.
    expect(reasonOf(await session.call('up__change'))).toBe('tool_unknown');
    expect(server.calls).toEqual(['change', 'look']);
    await switchOn({});
    await policy.reload();
    expect(reasonOf(await session.call('up__change'))).toBeNull();
  } finally {
    await sekisho.close();
    await server.close();
  }
});
