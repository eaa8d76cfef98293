import { expect, test } from 'vitest';
import { isPage, pagesOf, withPages } from '#gateway/core/apps.ts';
import { extensionsOf } from '#gateway/core/extensions.ts';

const tool = (meta: unknown) => ({ name: 't', inputSchema: {}, _meta: meta }) as never;

test.each([
  ['nothing', undefined, []],
  ['no object', 'ui://a', []],
  ['a page', { ui: { resourceUri: 'ui://a' } }, ['ui://a']],
  ['a page by its older name', { 'ui/resourceUri': 'ui://a' }, ['ui://a']],
  ['one page by both names', { ui: { resourceUri: 'ui://a' }, 'ui/resourceUri': 'ui://a' }, ['ui://a']],
  ['two pages', { ui: { resourceUri: 'ui://a' }, 'ui/resourceUri': 'ui://b' }, ['ui://a', 'ui://b']],
  ['what is no page', { ui: { resourceUri: 'file:///etc/passwd' } }, []],
  ['what is no text', { ui: { resourceUri: ['ui://a'] }, 'ui/resourceUri': 7 }, []],
])('a tool whose _meta names %s', (_, meta, pages) => {
  expect(pagesOf(tool(meta))).toEqual(pages);
});

test('other names for pages change nothing else, and nothing where there is no page', () => {
  const meta = { ui: { resourceUri: 'ui://a', visibility: ['app'] }, 'ui/resourceUri': 'ui://b', other: 1 };
  expect(withPages(tool(meta), (uri) => `${uri}!`)).toEqual(
    tool({ ui: { resourceUri: 'ui://a!', visibility: ['app'] }, 'ui/resourceUri': 'ui://b!', other: 1 }),
  );
  for (const one of [tool(undefined), tool({ ui: { resourceUri: 'https://a' } })]) {
    expect(withPages(one, (uri) => `${uri}!`)).toBe(one);
  }
});

test('a page is one however its scheme is written', () => {
  expect(['ui://a', 'UI://a', 'Ui:a', 'uix://a', 'file://ui:'].map(isPage)).toEqual([true, true, true, false, false]);
});

test('of the extensions that a caller declares servers hear only of those that are relayed, in one form', () => {
  const ui = 'io.modelcontextprotocol/ui';
  const page = 'text/html;profile=mcp-app';
  const apps = { extensions: { [ui]: { mimeTypes: [page] } } };
  expect(extensionsOf({ extensions: { [ui]: { mimeTypes: ['x', page], more: 1 }, 'com.example/x': {} } })).toEqual(
    apps,
  );
  for (const extensions of [
    undefined,
    {},
    { 'com.example/x': {} },
    { [ui]: {} },
    { [ui]: { mimeTypes: ['x'] } },
    [ui],
  ]) {
    expect(extensionsOf({ extensions } as never)).toEqual({});
  }
});
