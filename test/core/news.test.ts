import { describe, expect, test } from 'vitest';
import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { changesFor, createNews, type NewsItem } from '#gateway/core/news.ts';
import type { Ceiling } from '#gateway/core/principal.ts';
import { allowAll, digests, serverFacts } from '#test/support/values.ts';

const changed = (server: string): NewsItem => ({ kind: 'changed', server, what: 'tools' });

describe('news', () => {
  test('reach everybody who wants them, from the moment they listen', async () => {
    const news = createNews();
    const stop = createLeaving();
    news.publish(changed('before'));
    const heard = news.listen(({ server }) => server !== 'unwanted', stop);
    for (const server of ['a', 'unwanted', 'b']) news.publish(changed(server));
    const taken: string[] = [];
    for await (const { server } of heard) {
      taken.push(server);
      if (server === 'b') news.publish(changed('c'));
      if (server === 'c') stop.abort();
    }
    expect(taken).toEqual(['a', 'b', 'c']);
  });

  test('wait for a slow listener once each, however often they come', async () => {
    const news = createNews();
    const stop = createLeaving();
    const heard = news.listen(() => true, stop);
    for (let i = 0; i < 100_000; i++) news.publish(changed(i % 2 ? 'a' : 'b'));
    const taken: string[] = [];
    for await (const { server } of heard) if (taken.push(server) === 2) break;
    expect(taken).toEqual(['b', 'a']);
  });

  test('end for who stops listening, also while nothing comes', async () => {
    const news = createNews();
    const stop = createLeaving();
    const rest = Array.fromAsync(news.listen(() => true, stop));
    stop.abort();
    expect(await rest).toEqual([]);
  });

  test('are kept for nobody who left before they listened', async () => {
    const news = createNews();
    const stop = createLeaving();
    stop.abort();
    let asked = 0;
    news.listen(() => asked++ > 0, stop);
    news.publish(changed('a'));
    expect(asked).toBe(0);
  });
});

describe('a change of a list may be known by a caller', () => {
  const view = buildSnapshot(allowAll, [serverFacts('files'), serverFacts('files2')], digests).all;
  const item = (server: string, what: 'tools' | 'prompts') => ({ kind: 'changed', server, what }) as const;

  test.each<[string, Partial<Ceiling>, readonly boolean[]]>([
    ['without a ceiling', {}, [true, true, true, true]],
    ['for one tool', { tools: ['files.read_file'] }, [true, false, false, false]],
    ['for tools by the beginning of their names', { tools: ['files.re*'] }, [true, false, false, false]],
    ['for all of a server', { tools: ['files.*'] }, [true, true, false, false]],
    ['for what begins like its name', { tools: ['file*'] }, [true, false, true, false]],
    ['for another tier', { tiers: ['public'] }, [false, false, false, false]],
    ['for nothing', { tools: [] }, [false, false, false, false]],
  ])('%s', (_, ceiling, known) => {
    const may = changesFor(view, { tiers: null, tools: null, ...ceiling });
    const items = [
      item('files', 'tools'),
      item('files', 'prompts'),
      item('files2', 'tools'),
      item('files2', 'prompts'),
    ];
    expect(items.map(may)).toEqual(known);
    expect(may(item('elsewhere', 'tools'))).toBe(false);
  });
});
