import { describe, expect, test } from 'vitest';
import { learn } from '#gateway/core/call.ts';
import { route, routeCompletion, routePrompt, routeResource } from '#gateway/phases/route.ts';
import { aCall, aCatalogue, anIdentity, serverFacts, someDefinitions } from '#test/support/values.ts';

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
    expect(routeResource(asking('resources/read', { uri }))).toMatchObject({ target: { kind: 'resource', name: uri } });
  });

  test.each(['demo://two', 'file:///etc/passwd', '', 5])('does not know the resource %j', (uri) => {
    expect(routeResource(asking('resources/read', { uri }))).toMatchObject({ refused: 'tool_unknown' });
  });

  test('finds whose completion it is', () => {
    const prompt = asking('completion/complete', { ref: { type: 'ref/prompt', name: 's__greet' } });
    expect(routeCompletion(prompt)).toMatchObject({ target: { name: 'greet' } });
    const template = asking('completion/complete', { ref: { type: 'ref/resource', uri: 'demo://item/{id}' } });
    expect(routeCompletion(template)).toMatchObject({ target: { kind: 'template' } });
    const other = asking('completion/complete', { ref: { type: 'ref/tool', name: 's__read_file' } });
    expect(routeCompletion(other)).toMatchObject({ refused: 'arguments_invalid' });
  });
});
