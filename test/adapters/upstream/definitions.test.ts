import { describe, expect, test } from 'vitest';
import { gatherDefinitions } from '#gateway/adapters/upstream/definitions.ts';
import type { JsonObject } from '#gateway/core/json.ts';

type ListRequest = Parameters<typeof gatherDefinitions>[0];

const all = { tools: {}, prompts: {}, resources: {} };
const tool = (name: string, more: JsonObject = {}): JsonObject => ({ name, inputSchema: { type: 'object' }, ...more });

/** Answers with pages: the cursor is the index of the next. */
const pages =
  (byMethod: Record<string, JsonObject[]>): ListRequest =>
  (method, { cursor = '0' }) => {
    const list = byMethod[method] ?? [];
    const at = Number(cursor);
    return Promise.resolve({ ...list[at], ...(at + 1 < list.length ? { nextCursor: String(at + 1) } : {}) });
  };

describe('gathering what a server lists', () => {
  test('reads every page of every list, in order, and drops nothing', async () => {
    const odd = tool('b', { _meta: { x: 1 }, annotations: { readOnlyHint: true }, unknown: [null, { deep: 'ü' }] });
    const request = pages({
      'tools/list': [{ tools: [tool('a')] }, { tools: [] }, { tools: [odd] }],
      'prompts/list': [{ prompts: [{ name: 'p' }] }],
      'resources/list': [{ resources: [{ uri: 'file:///ä b'.replace(' ', '%20') }] }],
      'resources/templates/list': [{ resourceTemplates: [{ uriTemplate: 'x://{y}', name: 'y' }] }],
    });
    expect(await gatherDefinitions(request, all, 'be kind')).toEqual({
      definitions: {
        tools: [tool('a'), odd],
        prompts: [{ name: 'p' }],
        templates: [{ uriTemplate: 'x://{y}', name: 'y' }],
        instructions: 'be kind',
      },
      resources: [{ uri: 'file:///ä%20b' }],
      capabilities: all,
    });
  });

  test('keeps definitions as the very objects that were parsed', async () => {
    const definition = tool('a');
    const live = await gatherDefinitions(pages({ 'tools/list': [{ tools: [definition] }] }), { tools: {} }, null);
    expect(live.definitions.tools[0]).toBe(definition);
  });

  test('asks only for what the server announced', async () => {
    const asked: string[] = [];
    const request: ListRequest = (method) => {
      asked.push(method);
      return Promise.resolve({ tools: [] });
    };
    await gatherDefinitions(request, { tools: {}, prompts: null, logging: {} }, null);
    expect(asked).toEqual(['tools/list']);
  });

  test('takes the empty cursor for a cursor, and a missing one for the end', async () => {
    const cursors: unknown[] = [];
    const request: ListRequest = (_method, params) => {
      cursors.push(params.cursor);
      return Promise.resolve(cursors.length === 1 ? { tools: [], nextCursor: '' } : { tools: [] });
    };
    await gatherDefinitions(request, { tools: {} }, null);
    expect(cursors).toEqual([undefined, '']);
  });

  test('takes an announced list that the server does not know for an empty one', async () => {
    const unknown = Object.assign(new Error('unknown method'), { code: -32601 });
    const request: ListRequest = (method) =>
      method === 'tools/list' ? Promise.resolve({ tools: [tool('a')] }) : Promise.reject(unknown);
    expect((await gatherDefinitions(request, all, null)).definitions).toMatchObject({ prompts: [], templates: [] });
  });

  test('does not take a list that the server forgets between two pages for an empty one', async () => {
    const request: ListRequest = (_method, { cursor }) =>
      cursor === undefined
        ? Promise.resolve({ prompts: [{ name: 'p' }], nextCursor: '2' })
        : Promise.reject(Object.assign(new Error('unknown method'), { code: -32601 }));
    await expect(gatherDefinitions(request, { prompts: {} }, null)).rejects.toThrow('unknown method');
  });

  test('passes any other failure on', async () => {
    const failing: ListRequest = (method) =>
      method === 'tools/list' ? Promise.resolve({ tools: [] }) : Promise.reject(new Error('it is gone'));
    await expect(gatherDefinitions(failing, all, null)).rejects.toThrow('it is gone');
  });
});

describe('lists that cannot be believed are refused whole', () => {
  const many = (count: number): JsonObject[] => Array.from({ length: count }, (_, index) => tool(`t${index}`));
  const fat = tool('fat', { description: 'x'.repeat(64 * 1024) });

  test.each<[string, JsonObject[], string]>([
    ['no list', [{}], 'has no array "tools"'],
    ['a name twice on one page', [{ tools: [tool('a'), tool('a')] }], 'names "a" twice'],
    ['a name twice over pages', [{ tools: [tool('a')] }, { tools: [tool('a')] }], 'names "a" twice'],
    ['a name with a space', [{ tools: [tool('a b')] }], 'holds the name "a b", which is not one'],
    ['a name of another script', [{ tools: [tool('аdmin')] }], 'holds the name "?dmin", which is not one'],
    ['a name of 129 characters', [{ tools: [tool('a'.repeat(129))] }], 'which is not one'],
    ['an empty name', [{ tools: [tool('')] }], 'holds an item without "name"'],
    ['a name that is no text', [{ tools: [{ name: 1 }] }], 'holds an item without "name"'],
    ['an entry that is no object', [{ tools: [null] }], 'holds something that is not an object'],
    ['513 tools', [{ tools: many(512) }, { tools: [tool('one-more')] }], 'holds more than 512 items'],
    ['an entry over 64 KiB', [{ tools: [fat] }], 'holds more than 64 KiB in "fat"'],
    ['a cursor that is no text', [{ tools: [], nextCursor: 7 }], 'has a cursor that is not a string'],
  ])('%s', async (_what, list, sentence) => {
    await expect(gatherDefinitions(pages({ 'tools/list': list }), { tools: {} }, null)).rejects.toThrow(sentence);
  });

  test('pages without end', async () => {
    let page = 0;
    const request: ListRequest = () => {
      page += 1;
      return Promise.resolve({ tools: [], nextCursor: String(page) });
    };
    await expect(gatherDefinitions(request, { tools: {} }, null)).rejects.toThrow('has more than 100 pages');
  });

  test('instructions over 64 KiB', async () => {
    await expect(gatherDefinitions(pages({}), {}, 'x'.repeat(65_537))).rejects.toThrow('instructions');
  });
});

test('resources that cannot be believed are left out, and the rest is listed', async () => {
  const resources = ['a:b', 'a:b', 'a:\nb', 'c:d'].map((uri, index) => ({ uri, index }));
  const request = pages({
    'resources/list': [{ resources }],
    'resources/templates/list': [{ resourceTemplates: [] }],
  });
  expect((await gatherDefinitions(request, { resources: {} }, null)).resources).toEqual([
    { uri: 'a:b', index: 0 },
    { uri: 'c:d', index: 3 },
  ]);
});
