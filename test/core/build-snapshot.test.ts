import { describe, expect, test } from 'vitest';
import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import { aCatalogue, allowAll, aServer, digests, serverFacts, someDefinitions } from '#test/support/values.ts';

const tool = (name: string) => ({ name, inputSchema: { type: 'object' } });
const build = (...servers: Parameters<typeof buildSnapshot>[1][number][]) => buildSnapshot(allowAll, servers, digests);

describe('a snapshot', () => {
  test('holds the tools of all servers under their exposed names', () => {
    const { all } = build(serverFacts('files'), serverFacts('tickets'));
    expect([...all.tools.keys()]).toEqual(['files__read_file', 'tickets__read_file']);
  });

  test('holds the tools of one server under their own names', () => {
    expect([...(build(serverFacts('files')).byServer.get('files')?.tools.keys() ?? [])]).toEqual(['read_file']);
  });

  test('lists the approved definition, every member of it, with only the name exchanged', () => {
    const definition = { ...tool('a'), 'x-unknown': { deep: [1] }, _meta: { ui: 1 } };
    const approved = someDefinitions({ tools: [definition] });
    const target = build(serverFacts('s', { catalogue: aCatalogue({ approved }) })).all.tools.get('s__a');
    expect(target?.listed).toEqual({ ...definition, name: 's__a' });
  });

  test('serves neither of two tools whose names meet after shortening', () => {
    const approved = someDefinitions({ tools: [tool('a'), tool('a'), tool('b')] });
    const snapshot = build(serverFacts('s', { catalogue: aCatalogue({ approved }) }));
    expect([...snapshot.all.tools.keys()]).toEqual(['s__b']);
    expect(snapshot.collisions).toEqual(['s__a']);
  });

  test('gives a tool without a rule no action, and the rule "*" to the rest', () => {
    const approved = someDefinitions({ tools: [tool('a'), tool('b')] });
    const catalogue = aCatalogue({ approved });
    const one = build(serverFacts('s', { catalogue, config: aServer({ tools: { a: { action: 'write' } } }) }));
    expect([one.all.tools.get('s__a')?.action, one.all.tools.get('s__b')?.action]).toEqual(['write', null]);
    const rest = build(serverFacts('s', { catalogue, config: aServer({ tools: { '*': { action: 'read' } } }) }));
    expect(rest.all.tools.get('s__b')?.action).toBe('read');
  });

  test('does not take a rule from the prototype for a tool called toString', () => {
    const catalogue = aCatalogue({ approved: someDefinitions({ tools: [tool('toString')] }) });
    const snapshot = build(serverFacts('s', { catalogue, config: aServer() }));
    expect(snapshot.all.tools.get('s__toString')?.action).toBeNull();
  });

  test('closes a tool that changed, and names what changed', () => {
    const drift = [{ kind: 'tool', name: 'read_file', state: 'changed', fields: ['/description'] }] as const;
    const target = build(serverFacts('s', { catalogue: aCatalogue({ drift }) })).all.tools.get('s__read_file');
    expect(target?.closed).toMatchObject({ refused: 'manifest_changed', data: { fields: ['/description'] } });
  });

  test('closes a server whose tier asks for a signature it does not have', () => {
    const facts = serverFacts('s', { tier: { answer: 1, manifest: 'signed' } });
    expect(build(facts).all.tools.get('s__read_file')?.closed).toMatchObject({ refused: 'manifest_unsigned' });
  });

  test('closes a quarantined server', () => {
    const config = aServer({ tier: 'quarantined' });
    expect(build(serverFacts('s', { config })).all.tools.get('s__read_file')?.closed).toMatchObject({
      refused: 'server_quarantined',
    });
  });

  test('lists a URI that two servers offer as each of theirs, and as it is where one server is looked at', () => {
    const catalogue = aCatalogue({ resources: [{ uri: 'demo://x', name: 'x' }] });
    const { all, byServer } = build(serverFacts('b', { catalogue }), serverFacts('a', { catalogue }));
    expect([...all.resources.values()].map(({ server, listed }) => [server.id, listed])).toEqual([
      ['b', { uri: 'sekisho://b/demo://x', name: 'x' }],
      ['a', { uri: 'sekisho://a/demo://x', name: 'x' }],
    ]);
    expect(byServer.get('a')?.resources.get('demo://x')?.listed).toEqual({ uri: 'demo://x', name: 'x' });
  });

  test('has another revision when a definition, a rule or a limit changes, and the same when nothing does', () => {
    const revision = (over: Parameters<typeof serverFacts>[1]) => build(serverFacts('s', over)).revision;
    const before = revision({});
    expect(revision({})).toBe(before);
    expect(revision({ config: aServer({ tools: { '*': { action: 'write' } } }) })).not.toBe(before);
    expect(revision({ tier: { answer: 7, manifest: 'snapshot' } })).not.toBe(before);
    const approved = someDefinitions({ tools: [{ ...tool('read_file'), description: 'Other.' }] });
    expect(revision({ catalogue: aCatalogue({ approved }) })).not.toBe(before);
  });
});
