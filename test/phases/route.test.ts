import { describe, expect, test } from 'vitest';
import { learn } from '#gateway/core/call.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { untainted } from '#gateway/core/taint.ts';
import { classify } from '#gateway/phases/classify.ts';
import { permitted } from '#gateway/phases/permitted.ts';
import { route, routeCompletion, routePrompt, routeResource } from '#gateway/phases/route.ts';
import {
  aCall,
  aCatalogue,
  allowAll,
  anIdentity,
  aPolicy,
  digests,
  serverFacts,
  someDefinitions,
} from '#test/support/values.ts';

const spending = { calls: { used: 0, limit: null }, bytes: { used: 0, limit: null } };
const ports = {
  hashing: { sha256: digests.sha256 },
  budgets: { spending: () => spending } as never,
  taints: { of: () => untainted },
  runBudget: { calls: null, bytes: null },
};

const approved = someDefinitions({
  prompts: [{ name: 'greet' }],
  templates: [{ uriTemplate: 'demo://item/{id}', name: 'item' }],
});
const catalogue = aCatalogue({ approved, resources: [{ uri: 'demo://one', name: 'one' }] });
const asking = (method: string, params: object) =>
  learn(aCall({ method, params: { ...params } }, [serverFacts('s', { catalogue })]), { identity: anIdentity() });

describe('route', () => {
  test('finds a tool by its exposed name', () => {
    expect(route(asking('tools/call', { name: 's__read_file' }))).toMatchObject({ target: { name: 'read_file' } });
  });

  test.each([
    'read_file',
    's__Read_file',
    's__read_file ',
    's.read_file',
    's__s__read_file',
    '',
    7,
    null,
    ['s__read_file'],
  ])('does not know the tool %j', (name) => {
    expect(route(asking('tools/call', { name }))).toMatchObject({ refused: 'tool_unknown' });
  });

  test('finds a prompt', () => {
    expect(routePrompt(asking('prompts/get', { name: 's__greet' }))).toMatchObject({ target: { kind: 'prompt' } });
  });

  test.each(['demo://one', 'demo://item/7'])('finds the server of the resource %s', (uri) => {
    expect(routeResource(asking('resources/read', { uri }), ports)).toMatchObject({
      target: { kind: 'resource', name: uri },
    });
  });

  test.each(['demo://two', 'file:///etc/passwd', '', 5])('does not know the resource %j', (uri) => {
    expect(routeResource(asking('resources/read', { uri }), ports)).toMatchObject({ refused: 'tool_unknown' });
  });

  test('finds whose completion it is', () => {
    const prompt = asking('completion/complete', { ref: { type: 'ref/prompt', name: 's__greet' } });
    expect(routeCompletion(prompt, ports)).toMatchObject({ target: { name: 'greet' } });
    const template = asking('completion/complete', { ref: { type: 'ref/resource', uri: 'demo://item/{id}' } });
    expect(routeCompletion(template, ports)).toMatchObject({ target: { kind: 'template' } });
    const other = asking('completion/complete', { ref: { type: 'ref/tool', name: 's__read_file' } });
    expect(routeCompletion(other, ports)).toMatchObject({ refused: 'arguments_invalid' });
  });
});

describe('a resource that two servers have', () => {
  const both = [serverFacts('a', { catalogue }), serverFacts('b', { catalogue })];
  const read = (uri: string, tools?: readonly string[]) => {
    const ceiling = tools ? { ceiling: { ...anIdentity().ceiling, tools } } : {};
    const call = learn(aCall({ method: 'resources/read', params: { uri } }, both), { identity: anIdentity(ceiling) });
    return routeResource(call, ports);
  };

  test.each(['demo://one', 'demo://item/7'])('is not read as %s: whose is meant has to be said', (uri) => {
    const uris = [`sekisho://a/${uri}`, `sekisho://b/${uri}`];
    expect(read(uri)).toMatchObject({ refused: 'resource_ambiguous', data: { uris } });
    for (const [at, id] of ['a', 'b'].entries()) {
      expect(read(uris[at] ?? '')).toMatchObject({ target: { server: { id }, name: uri, exposed: uris[at] } });
    }
  });

  test('is named only as what the caller may know of', () => {
    expect(read('demo://one', ['b.*'])).toMatchObject({ data: { uris: ['sekisho://b/demo://one'] } });
    expect(read('demo://one', [])).toMatchObject({ refused: 'tool_unknown' });
  });

  test.each([
    'sekisho://c/demo://one',
    'sekisho://a/demo://two',
    'sekisho://a',
    'sekisho:///demo://one',
    'sekisho://A/demo://one',
    'SEKISHO://a/demo://one',
    'sekisho://a/sekisho://a/demo://one',
    'sekisho://__proto__/demo://one',
  ])('is not known as %s', (uri) => {
    expect(read(uri)).toMatchObject({ refused: 'tool_unknown' });
  });

  test('is completed as the one whose template is named', () => {
    const complete = (uri: string) => {
      const params = { ref: { type: 'ref/resource', uri } };
      const call = learn(aCall({ method: 'completion/complete', params }, both), { identity: anIdentity() });
      return routeCompletion(call, ports);
    };
    expect(complete('demo://item/{id}')).toMatchObject({ refused: 'resource_ambiguous' });
    const routed = complete('sekisho://b/demo://item/{id}');
    if (isRefusal(routed)) throw new Error('not routed');
    expect(routed.target).toMatchObject({ kind: 'template', server: { id: 'b' }, name: 'demo://item/{id}' });
    expect(classify(routed, ports)).toMatchObject({ args: { ref: { type: 'ref/resource', uri: 'demo://item/{id}' } } });
  });

  test('is asked of its server by its own name, whatever else stands beside it', () => {
    const ref = { type: 'ref/resource', uri: 'sekisho://b/demo://one' };
    const params = { ref, uri: 'sekisho://a/demo://one' };
    const call = learn(aCall({ method: 'completion/complete', params }, both), { identity: anIdentity() });
    const routed = routeCompletion(call, ports);
    if (isRefusal(routed)) throw new Error('not routed');
    const args = { ref: { ...ref, uri: 'demo://one' }, uri: params.uri };
    expect(classify(routed, ports)).toMatchObject({ args });
  });

  test('is judged, and asked of its server, by the name that the server gave it', () => {
    const routed = read('sekisho://b/demo://one');
    if (isRefusal(routed)) throw new Error('not routed');
    expect(classify(routed, ports)).toMatchObject({ args: { uri: 'demo://one' } });
  });
});

describe('the page of a tool', () => {
  const page = 'ui://a/page';
  const tool = (name: string, uri = page) => ({ name, inputSchema: {}, _meta: { ui: { resourceUri: uri } } });
  const shows = (over: object = {}, ...tools: object[]) =>
    serverFacts('s', { catalogue: aCatalogue({ approved: someDefinitions({ tools: tools as never }), ...over }) });
  const read = (server: ReturnType<typeof shows>, policy = allowAll, uri = page) => {
    const call = aCall({ method: 'resources/read', params: { uri } }, [server], policy);
    return routeResource(learn(call, { identity: anIdentity() }), ports);
  };
  const changed = (name: string) => ({ drift: [{ kind: 'tool', name, state: 'changed', fields: [''] }] as never });

  test('is there, listed or not, while one of its tools is', () => {
    expect(read(shows({}, tool('x'), tool('y')))).toMatchObject({ target: { name: page, shownBy: [{ name: 'x' }] } });
    expect(read(shows(changed('x'), tool('x'), tool('y')))).toMatchObject({ target: { shownBy: [{ name: 'y' }] } });
    expect(read(shows(changed('x'), tool('x')))).toMatchObject({ refused: 'tool_unknown' });
    expect(read(shows({ resources: [{ uri: page, name: 'p' }] }))).toMatchObject({ refused: 'tool_unknown' });
  });

  test('is asked about with its tool, and a policy that denies the page alone is heard', () => {
    const asked: object[] = [];
    const policy = aPolicy((input) => {
      asked.push({ phase: input.phase, tool: input.tool?.name, uri: input.resource?.uri });
      return input.resource === null ? { grant: [{ id: 'tools' }] } : { deny: [{ code: 'PAGE', message: 'no' }] };
    });
    const routed = read(shows({}, tool('x')), policy);
    if (isRefusal(routed)) throw new Error(routed.refused);
    const classified = classify(routed, ports);
    if (isRefusal(classified)) throw new Error(classified.refused);
    expect(
      permitted(classified, classified, { ...ports, halting: { halt: () => undefined }, logsDecisions: false }),
    ).toMatchObject({ refused: 'policy_denied', hidden: true });
    expect(asked).toContainEqual({ phase: 'list', tool: 'x', uri: undefined });
    expect(asked).toContainEqual({ phase: 'read', tool: 'x', uri: page });
  });
});
