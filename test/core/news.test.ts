import { describe, expect, test } from 'vitest';
import { createLeaving } from '#gateway/core/leaving.ts';
import { createNews, type NewsItem } from '#gateway/core/news.ts';

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

  test('are counted by who needs them: the first begins and the last ends it', () => {
    const news = createNews();
    expect([news.hold('k'), news.hold('k'), news.release('k'), news.release('k')]).toEqual([true, false, false, true]);
    expect(news.hold('k')).toBe(true);
  });
});
