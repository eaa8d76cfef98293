import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { canonical } from '#gateway/core/canonical.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { type Definitions, definitionDigest, drift, makeManifest, withoutVolatile } from '#gateway/core/manifest.ts';
import { cost, onThisMachine } from '#test/support/cpu-time.ts';
import golden from './mcp-def-1.golden.json' with { type: 'json' };

const digest = (tool: JsonObject): string => definitionDigest('tool', tool, hashing.sha256);

const issue: JsonObject = {
  name: 'create_issue',
  title: 'Create an issue',
  description: 'Creates an issue.',
  inputSchema: {
    type: 'object',
    properties: { title: { type: 'string' }, kind: { enum: ['bug', 'task'], default: 'bug' } },
    required: ['title'],
  },
  annotations: { readOnlyHint: false, destructiveHint: false },
  icons: [{ src: 'https://acme.example/i.png' }],
  _meta: { 'com.acme/owner': 'team-a' },
};

const only = (...tools: JsonObject[]): Definitions => ({ tools, prompts: [], templates: [], instructions: null });

// The file was made by another implementation, in another language. It never changes: a new formula is mcp-def/2.
describe('the digest formula mcp-def/1', () => {
  const vectors = golden as {
    title: string;
    kind: string;
    definition: JsonObject;
    canonical: string;
    digest: string;
  }[];

  test.each(vectors)('gives the golden digest for $title', ({ kind, definition, canonical: text, digest: wanted }) => {
    expect(canonical(withoutVolatile(definition))).toBe(text);
    expect(definitionDigest(kind as 'tool', definition, hashing.sha256)).toBe(wanted);
  });

  test('tells every vector apart, but for the order of members and for volatile _meta', () => {
    expect(new Set(vectors.map((vector) => vector.digest)).size).toBe(vectors.length - 2);
  });
});

describe('drift', () => {
  test('is empty for the same definitions in another order', () => {
    const other = { ...issue, name: 'close_issue' };
    const reversed = Object.fromEntries(Object.entries(issue).reverse());
    expect(drift(only(issue, other), only(other, reversed))).toEqual([]);
  });

  test.each<[string, JsonObject, string[]]>([
    ['the description', { description: 'Creates an issue!' }, ['/description']],
    ['an annotation', { annotations: { readOnlyHint: true, destructiveHint: false } }, ['/annotations/readOnlyHint']],
    ['an annotation that is gone', { annotations: { readOnlyHint: false } }, ['/annotations/destructiveHint']],
    ['the title', { title: 'create an issue' }, ['/title']],
    ['an icon', { icons: [{ src: 'https://acme.example/j.png' }] }, ['/icons']],
    ['_meta', { _meta: { 'com.acme/owner': 'team-b' } }, ['/_meta/com.acme~1owner']],
    ['an output schema that appears', { outputSchema: { type: 'object' } }, ['/outputSchema']],
    ['a description that becomes empty', { description: '' }, ['/description']],
    ['a description that becomes null', { description: null }, ['/description']],
    ['a member with an inherited name', { constructor: 'x' }, ['/constructor']],
  ])('names %s', (_, change, fields) => {
    const found = drift(only(issue), only({ ...issue, ...change }));
    expect(found).toEqual([{ kind: 'tool', name: 'create_issue', state: 'changed', fields }]);
    expect(digest({ ...issue, ...change })).not.toBe(digest(issue));
  });

  test.each([
    ['an enum', '/inputSchema/properties/kind/enum', { enum: ['bug', 'task', 'epic'], default: 'bug' }],
    ['a default', '/inputSchema/properties/kind/default', { enum: ['bug', 'task'], default: 'task' }],
  ])('names %s deep in a schema', (_, field, kind) => {
    const inputSchema = { type: 'object', properties: { title: { type: 'string' }, kind }, required: ['title'] };
    expect(drift(only(issue), only({ ...issue, inputSchema }))[0]?.fields).toEqual([field]);
  });

  test('sees a tool that appears, one that is gone, and a rename as both', () => {
    const renamed = { ...issue, name: 'make_issue' };
    expect(drift(only(issue), only(renamed))).toEqual([
      { kind: 'tool', name: 'make_issue', state: 'renamed', from: 'create_issue', fields: ['/name'] },
      { kind: 'tool', name: 'create_issue', state: 'removed', fields: [] },
    ]);
  });

  test('sees a rename in other words, and no rename where it could be one of two', () => {
    const praised = { ...issue, name: 'make_issue', title: 'Best', description: 'Makes the best issues.' };
    expect(drift(only(issue), only(praised))[0]).toMatchObject({ state: 'renamed', from: 'create_issue' });
    const twin = { ...issue, name: 'open_issue' };
    expect(drift(only(issue, twin), only(praised))[0]).toMatchObject({ name: 'make_issue', state: 'added' });
    const other = { ...issue, name: 'make_issue', inputSchema: { type: 'object' } };
    expect(drift(only(issue), only(other))[0]).toMatchObject({ state: 'added' });
  });

  test('sees two descriptions that were swapped', () => {
    const other = { ...issue, name: 'delete_issue', description: 'Deletes an issue.' };
    const swapped = only({ ...issue, description: other.description }, { ...other, description: issue.description });
    expect(drift(only(issue, other), swapped).map((item) => item.name)).toEqual(['create_issue', 'delete_issue']);
  });

  test('sees a tool that came back changed after it was gone', () => {
    expect(drift(only(issue), only())[0]?.state).toBe('removed');
    expect(drift(only(issue), only({ ...issue, description: 'Other.' }))[0]?.state).toBe('changed');
  });

  test('watches prompts, resource templates and instructions too', () => {
    const approved: Definitions = {
      tools: [],
      prompts: [{ name: 'review', description: 'a' }],
      templates: [{ uriTemplate: 'file:///{path}', name: 'a' }],
      instructions: 'Be kind.',
    };
    const live: Definitions = {
      tools: [],
      prompts: [{ name: 'review', description: 'b' }],
      templates: [{ uriTemplate: 'file:///{path}', name: 'b' }],
      instructions: 'Be quick.',
    };
    expect(drift(approved, live).map(({ kind, name, fields }) => [kind, name, ...fields])).toEqual([
      ['prompt', 'review', '/description'],
      ['template', 'file:///{path}', '/name'],
      ['instructions', 'instructions', ''],
    ]);
  });

  test('ignores the _meta members that change with every answer', () => {
    const live = { ...issue, _meta: { 'com.acme/owner': 'team-a', traceparent: '00-1', progressToken: 3 } };
    expect(drift(only(issue), only(live))).toEqual([]);
  });

  test('sees any single character that changed anywhere in a definition', () => {
    const text = JSON.stringify(issue);
    fc.assert(
      fc.property(
        fc.nat({ max: text.length - 1 }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
        (at, other) => {
          const changed = parsed(text.slice(0, at) + other + text.slice(at + 1));
          fc.pre(changed !== null && canonical(changed) !== canonical(issue));
          expect(drift(only(issue), only(changed ?? {}))).not.toEqual([]);
          expect(digest(changed ?? {})).not.toBe(digest(issue));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('sees every change of one character in the description of any definition', () => {
    const definition = fc.record({
      name: fc.string({ minLength: 1 }),
      description: fc.string({ minLength: 1 }),
      inputSchema: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue({ maxDepth: 2 })),
    });
    fc.assert(
      fc.property(definition, fc.nat(), (tool, seed) => {
        const before = JSON.parse(JSON.stringify(tool)) as JsonObject;
        const at = seed % tool.description.length;
        const flipped = String.fromCharCode((tool.description.charCodeAt(at) ^ 1) & 0x7f);
        const description = tool.description.slice(0, at) + flipped + tool.description.slice(at + 1);
        const after = { ...before, description };
        const expected = [{ kind: 'tool', name: tool.name, state: 'changed', fields: ['/description'] }];
        expect(drift(only(before), only(after))).toEqual(expected);
        expect(digest(after)).not.toBe(digest(before));
      }),
    );
  });
});

function parsed(text: string): JsonObject | null {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return null;
  }
}

describe('a manifest', () => {
  test('holds one digest for each definition', () => {
    const definitions = { ...only(issue), instructions: 'Be kind.' };
    const manifest = makeManifest(
      { id: 'tickets', url: null },
      definitions,
      { seq: 3, iat: 10, exp: 20 },
      hashing.sha256,
    );
    expect(manifest).toEqual({
      v: 1,
      canon: 'mcp-def/1',
      server: { id: 'tickets', url: null },
      seq: 3,
      iat: 10,
      exp: 20,
      tools: { create_issue: { digest: digest(issue) } },
      prompts: {},
      templates: {},
      instructions: definitionDigest('instructions', 'Be kind.', hashing.sha256),
    });
  });
});

test('a set whose every tool has another name is compared in bounded time', () => {
  const tools = (prefix: string): JsonObject[] =>
    Array.from({ length: 512 }, (_, at) => ({
      name: `${prefix}${at}`,
      inputSchema: { const: 'x'.repeat(500), maximum: at },
    }));
  const set = (prefix: string): Definitions => ({
    tools: tools(prefix),
    prompts: [],
    templates: [],
    instructions: null,
  });
  expect(drift(set('a'), set('b')).filter(({ state }) => state === 'renamed')).toHaveLength(512);
  // Measured: 8 ms. Each compared with each took 2 s.
  expect(cost(() => drift(set('a'), set('b')))).toBeLessThan(onThisMachine(100));
});
