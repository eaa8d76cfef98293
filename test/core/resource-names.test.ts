import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import { findResource, isSeveral } from '#gateway/core/find-resource.ts';
import { ownedUri, readOwned } from '#gateway/core/resource-names.ts';
import { cost } from '#test/support/cpu-time.ts';
import { aCatalogue, allowAll, digests, serverFacts, someDefinitions } from '#test/support/values.ts';

type Serves = Readonly<Record<string, { readonly uris?: readonly string[]; readonly templates?: readonly string[] }>>;

function snapshotOf(serves: Serves) {
  const servers = Object.entries(serves).map(([id, { uris = [], templates = [] }]) => {
    const approved = someDefinitions({ templates: templates.map((uriTemplate) => ({ uriTemplate, name: 't' })) });
    return serverFacts(id, { catalogue: aCatalogue({ approved, resources: uris.map((uri) => ({ uri, name: 'r' })) }) });
  });
  return buildSnapshot(allowAll, servers, digests);
}

function listedBy(serves: Serves): readonly unknown[] {
  const { all } = snapshotOf(serves);
  return [...all.resources.values(), ...all.templates].map(({ listed }) => listed.uri ?? listed.uriTemplate);
}

describe('the name of a resource among those of all servers', () => {
  test.each<[string, Serves, readonly string[]]>([
    ['is its URI when one server has it', { a: { uris: ['x:1'] }, b: { uris: ['x:2'] } }, ['x:1', 'x:2']],
    [
      'says whose it is when two list it, and only then',
      { a: { uris: ['x:1', 'x:2'] }, b: { uris: ['x:2', 'x:3'] } },
      ['x:1', 'sekisho://a/x:2', 'sekisho://b/x:2', 'x:3'],
    ],
    [
      'says whose it is when it fits another server’s template: who lists it might not be who was meant',
      { a: { templates: ['x:{id}'] }, b: { uris: ['x:secret'] } },
      ['sekisho://b/x:secret', 'x:{id}'],
    ],
    [
      'is its URI when it fits a template of its own server',
      { a: { uris: ['x:1'], templates: ['x:{id}'] } },
      ['x:1', 'x:{id}'],
    ],
    [
      'says whose it is for templates, too',
      { a: { templates: ['x:{id}'] }, b: { templates: ['x:{id}', 'y:{id}'] } },
      ['sekisho://a/x:{id}', 'sekisho://b/x:{id}', 'y:{id}'],
    ],
    [
      'cannot be what another server’s is called',
      { a: { uris: ['sekisho://b/x:1', 'SEKISHO://b/x:1'], templates: ['sekisho://b/{id}'] }, b: { uris: ['x:1'] } },
      ['sekisho://a/sekisho://b/x:1', 'sekisho://a/SEKISHO://b/x:1', 'x:1', 'sekisho://a/sekisho://b/{id}'],
    ],
  ])('%s', (_, serves, names) => {
    expect(listedBy(serves)).toEqual(names);
  });

  test('leads back to the server and the URI, whatever the URI', () => {
    fc.assert(
      fc.property(fc.string(), (uri) => {
        expect(readOwned(ownedUri('files-2', uri))).toEqual({ server: 'files-2', uri });
      }),
    );
  });

  test('finds exactly what is listed under it, whatever servers list', () => {
    const uri = fc.constantFrom('x:1', 'x:2', 'y:1', 'sekisho://a/x:1', 'sekisho://b/x:1', 'sekisho:x');
    const serves = fc.record({
      uris: fc.uniqueArray(uri),
      templates: fc.subarray(['x:{id}', '{all}', 'sekisho://b/{id}']),
    });
    fc.assert(
      fc.property(fc.record({ a: serves, b: serves, c: serves }), (all) => {
        const snapshot = snapshotOf(all);
        for (const target of snapshot.all.resources.values()) {
          const found = findResource({ view: snapshot.all, snapshot }, target.exposed);
          expect(found).toMatchObject({ name: target.name, server: { id: target.server.id } });
        }
        for (const [id, { uris }] of Object.entries(all)) {
          for (const name of uris) {
            const found = findResource({ view: snapshot.all, snapshot }, ownedUri(id, name));
            expect(found).toMatchObject({ name, server: { id } });
          }
        }
      }),
    );
  });

  test('is never answered for by a server that another could have been meant instead of', () => {
    const uri = fc.constantFrom('x:1', 'x:2', 'y:1');
    const serves = fc.record({ uris: fc.uniqueArray(uri), templates: fc.subarray(['x:{id}', '{all}']) });
    fc.assert(
      fc.property(fc.record({ a: serves, b: serves }), uri, (all, asked) => {
        const snapshot = snapshotOf(all);
        const has = Object.entries(all).filter(
          ([, { uris, templates }]) =>
            uris.includes(asked) || templates.includes('{all}') || (templates.length > 0 && asked.startsWith('x:')),
        );
        const found = findResource({ view: snapshot.all, snapshot }, asked);
        if (has.length === 0) expect(found).toBeNull();
        else if (has.length > 1) expect(found && isSeveral(found)).toBe(true);
        else expect(found).toMatchObject({ server: { id: has[0]?.[0] } });
      }),
    );
  });
});

test('many resources beside many templates of another server are named in bounded time', () => {
  const templates = Array.from({ length: 512 }, (_, at) => `${'{x}a'.repeat(300)}${at}`);
  const uris = Array.from({ length: 2_000 }, (_, at) => `x:${at}`);
  // Measured: 30 ms of it are the names. With each template taken apart for each of them they were 7 s.
  expect(cost(() => listedBy({ a: { templates }, b: { uris } }), 1)).toBeLessThan(1_000);
});

describe('the page of a tool among those of all servers', () => {
  const page = 'ui://x/p';
  const served = (pages: Readonly<Record<string, readonly string[]>>, listed: readonly string[] = []) =>
    buildSnapshot(
      allowAll,
      Object.entries(pages).map(([id, uris]) => {
        const tools = uris.map((uri, i) => ({ name: `t${i}`, inputSchema: {}, _meta: { ui: { resourceUri: uri } } }));
        const approved = someDefinitions({ tools, templates: [{ uriTemplate: '{+any}', name: 't' }] });
        return serverFacts(id, {
          catalogue: aCatalogue({ approved, resources: listed.map((uri) => ({ uri, name: 'r' })) }),
        });
      }),
      digests,
    );
  const nameOf = ({ all }: ReturnType<typeof served>, tool: string): unknown =>
    (all.tools.get(tool)?.listed._meta as { ui?: { resourceUri?: unknown } } | undefined)?.ui?.resourceUri;

  test('is its URI while one server has it, whatever fits the templates of others', () => {
    const snapshot = served({ a: [page], b: [] }, [page]);
    expect(nameOf(snapshot, 'a__t0')).toBe(page);
    expect([...snapshot.all.resources.keys()]).toEqual([page]);
    expect(findResource({ view: snapshot.all, snapshot }, page)).toMatchObject({ server: { id: 'a' } });
  });

  test('says whose it is when the tools of two name it, also where nobody lists it, and stays a page', () => {
    const snapshot = served({ a: [page], b: [page] });
    expect([nameOf(snapshot, 'a__t0'), nameOf(snapshot, 'b__t0')]).toEqual([
      `ui://sekisho/a/${page}`,
      `ui://sekisho/b/${page}`,
    ]);
    const found = findResource({ view: snapshot.all, snapshot }, page);
    expect(found && isSeveral(found)).toBe(true);
    expect(findResource({ view: snapshot.all, snapshot }, `ui://sekisho/b/${page}`)).toMatchObject({
      ...{ server: { id: 'b' }, name: page },
    });
  });

  test('is never what another server calls its own', () => {
    const posing = `ui://sekisho/a/${page}`;
    const snapshot = served({ a: [page], b: [posing] });
    expect(nameOf(snapshot, 'b__t0')).toBe(`ui://sekisho/b/${posing}`);
    expect(findResource({ view: snapshot.all, snapshot }, posing)).toMatchObject({ server: { id: 'a' }, name: page });
  });
});
