import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { itemsOf, openSession, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(...tools: JsonObject[]): Promise<{ sekisho: TestGateway; server: ListingServer }> {
  const server = await startListing(tools);
  opened.push(server.close);
  const up = { tier: 'internal', url: server.url, tools: { '*': { action: 'read' }, secret: { action: 'admin' } } };
  const sekisho = await startGateway({ servers: { up } });
  opened.push(sekisho.close);
  return { sekisho, server };
}

const forecast = aTool('forecast', {
  inputSchema: { type: 'object', properties: { days: { type: 'integer', maximum: 10 } }, required: ['days'] },
  outputSchema: { type: 'object', properties: { rain: { type: 'boolean' } }, required: ['rain'] },
});
const content = [{ type: 'text', text: 'done' }];

test('a schema that is one long chain of references closes nothing but, at most, its own tool', async () => {
  const $defs = Object.fromEntries([
    ...Array.from({ length: 1_500 }, (_, at) => [at, { items: { $ref: `#/$defs/${at + 1}` } }]),
    [1_500, {}],
  ]);
  const chained = aTool('chained', {
    inputSchema: { type: 'object', properties: { a: { $ref: '#/$defs/0' } }, $defs },
  });
  const { sekisho, server } = await start(aTool('plain'));
  server.lists.tools = [aTool('plain'), chained];
  const other = await start(chained, aTool('plain'));
  expect(textOf(await (await openSession(other.sekisho)).call('up__plain'))).toBe('done');
  await sekisho.gateway.snapshots.refresh('up');
  expect(sekisho.gateway.snapshots.states()[0]?.catalogue?.drift).toMatchObject([{ name: 'chained', state: 'added' }]);
});

describe('arguments are held to the approved input schema', () => {
  test.each([
    [{}, 'arguments lacks "days".'],
    [{ days: 11 }, 'arguments/days must be at most 10.'],
    [{ days: '3' }, 'arguments/days must be of type integer.'],
  ])('%j is refused with where and why, and never sent', async (args, says) => {
    const { sekisho, server } = await start(forecast);
    const refused = await (await openSession(sekisho)).call('up__forecast', args);
    expect(reasonOf(refused)).toBe('arguments_invalid');
    expect(textOf(refused)).toContain(says);
    expect(refusalIn(refused.answer.result)).toMatchObject({ reason: 'arguments_invalid', retry: 'fix' });
    expect(server.calls).toEqual([]);
    const lines = (await sekisho.audit()).filter(({ reason }) => reason === 'arguments_invalid');
    expect(lines).toMatchObject([{ server: 'up', tool: 'forecast', outcome: 'invalid', upstream_ms: null }]);
  });

  test('and what they ask is told to nobody who may not call the tool', async () => {
    const { sekisho, server } = await start(aTool('secret', { inputSchema: { type: 'object', required: ['vault'] } }));
    const session = await openSession(sekisho);
    const [hidden, unknown] = [await session.call('up__secret', {}), await session.call('up__never', {})];
    const said = (answer: object): string => JSON.stringify(answer).replace(/"call":"[^"]+"/, '');
    expect(said(hidden.answer)).toBe(said(unknown.answer));
    expect(server.calls).toEqual([]);
  });
});

describe('a result is held to the approved output schema', () => {
  test.each<[string, JsonObject, string]>([
    ['another type', { content, structuredContent: { rain: 'no' } }, 'structuredContent/rain must be of type boolean.'],
    ['a member that is missing', { content, structuredContent: {} }, 'structuredContent lacks "rain".'],
    ['no structured content', { content }, 'lacks "structuredContent"'],
    [
      'a result that says it is no whole one, in an era that has no such word',
      { content, structuredContent: { rain: 'no' }, resultType: 'task' },
      'structuredContent/rain must be of type boolean.',
    ],
  ])('%s is refused', async (_, result, says) => {
    const { sekisho, server } = await start(forecast);
    server.results.set('forecast', result);
    const refused = await (await openSession(sekisho)).call('up__forecast', { days: 1 });
    expect(reasonOf(refused)).toBe('answer_invalid');
    expect(textOf(refused)).toContain(says);
    expect(server.calls).toEqual(['forecast']);
    const lines = (await sekisho.audit()).filter(({ reason }) => reason === 'answer_invalid');
    expect(lines).toMatchObject([{ tool: 'forecast', outcome: 'answer_refused' }]);
  });

  test.each<[string, JsonObject]>([
    ['what fits', { content, structuredContent: { rain: true, more: 1 } }],
    ['an error of the tool, which no schema binds', { content, isError: true }],
  ])('%s passes', async (_, result) => {
    const { sekisho, server } = await start(forecast);
    server.results.set('forecast', result);
    expect((await (await openSession(sekisho)).call('up__forecast', { days: 1 })).answer.result).toEqual(result);
  });
});

describe('a tool whose schema cannot be held to is closed, and the others are not', () => {
  test.each<[string, JsonObject]>([
    ['a reference to the network', { $ref: 'http://169.254.169.254/latest' }],
    ['a reference that is dynamic', { $dynamicRef: '#x' }],
    ['a pattern without a linear match', { properties: { a: { pattern: '(a+)\\1' } } }],
  ])('%s', async (_, inputSchema) => {
    const { sekisho, server } = await start(aTool('bad', { inputSchema }), aTool('good'));
    const session = await openSession(sekisho);
    expect(itemsOf(await session.ask('tools/list'), 'tools').map(({ name }) => name)).toEqual(['up__good']);
    const refused = await session.call('up__bad');
    expect(reasonOf(refused)).toBe('schema_unusable');
    expect(textOf(await session.call('up__good'))).toBe('done');
    expect(server.calls).toEqual(['good']);
  });
});
