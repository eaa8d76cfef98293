import { describe, expect, test } from 'vitest';
import { type Given, resultOf } from '#gateway/core/exchange.ts';
import type { Leaving } from '#gateway/core/leaving.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { createSubscribed } from '#gateway/core/subscribed.ts';

const agreed = resultOf({});
const no: Given = { kind: 'error', error: { code: 1, message: 'no' } };

/** A server that agrees, or not, when the test says so; and what it was asked for and is over. */
function server() {
  const asked: Leaving[] = [];
  const says = Promise.withResolvers<Given | Refusal>();
  const agree = (over: Leaving) => {
    asked.push(over);
    return says.promise;
  };
  return { asked, agree, says };
}

describe('a session', () => {
  test('that asks twice has the server asked once, also before it agreed, and the last name counts', async () => {
    const subscribed = createSubscribed();
    const { asked, agree, says } = server();
    const both = [subscribed.add('t', 'a', agree), subscribed.add('t', 'b', agree)];
    says.resolve(agreed);
    expect(await Promise.all(both)).toEqual([agreed, agreed]);
    expect(await subscribed.add('t', 'c', agree)).toEqual(agreed);
    expect([asked.length, subscribed.size(), subscribed.nameOf('t'), subscribed.nameOf('u')]).toEqual([
      1,
      1,
      'c',
      null,
    ]);
  });

  test.each<[string, Given | Refusal]>([
    ['an error', no],
    ['a refusal', refuse('upstream_timeout')],
  ])('that was answered with %s holds nothing, and may ask again', async (_, answer) => {
    const subscribed = createSubscribed();
    const [first, second] = [server(), server()];
    first.says.resolve(answer);
    expect(await subscribed.add('t', 'a', first.agree)).toEqual(answer);
    expect([first.asked[0]?.aborted, subscribed.size()]).toEqual([true, 0]);
    second.says.resolve(agreed);
    expect(await subscribed.add('t', 'a', second.agree)).toEqual(agreed);
    expect(second.asked[0]?.aborted).toBe(false);
  });

  test('for which asking broke holds nothing', async () => {
    const subscribed = createSubscribed();
    const { asked, agree, says } = server();
    says.reject(new Error('broken'));
    await expect(subscribed.add('t', 'a', agree)).rejects.toThrow('broken');
    expect([asked[0]?.aborted, subscribed.size()]).toEqual([true, 0]);
  });

  test('that had enough before its server agreed holds nothing then, and not what it asked for since', async () => {
    const subscribed = createSubscribed();
    const [first, second] = [server(), server()];
    const early = subscribed.add('t', 'a', first.agree);
    subscribed.drop('t');
    expect(first.asked[0]?.aborted).toBe(true);
    const late = subscribed.add('t', 'b', second.agree);
    first.says.resolve(no);
    await early;
    second.says.resolve(agreed);
    await late;
    expect([subscribed.nameOf('t'), second.asked[0]?.aborted]).toEqual(['b', false]);
  });

  test('has enough by the name that it asked by last, and of nothing else', async () => {
    const subscribed = createSubscribed();
    const [one, other] = [server(), server()];
    for (const { says } of [one, other]) says.resolve(agreed);
    await subscribed.add('t', 'a', one.agree);
    await subscribed.add('u', 'b', other.agree);
    subscribed.dropNamed('t');
    expect(subscribed.size()).toBe(2);
    subscribed.dropNamed('a');
    expect([one.asked[0]?.aborted, other.asked[0]?.aborted, subscribed.size()]).toEqual([true, false, 1]);
  });

  test('that is over holds nothing, and cannot begin again', async () => {
    const subscribed = createSubscribed();
    const { asked, agree, says } = server();
    says.resolve(agreed);
    await Promise.all([subscribed.add('t', 'a', agree), subscribed.add('u', 'a', agree)]);
    subscribed.end();
    expect([asked.map(({ aborted }) => aborted), subscribed.size()]).toEqual([[true, true], 0]);
    expect(await subscribed.add('t', 'a', agree)).toMatchObject({ refused: 'session_unknown' });
    expect(asked).toHaveLength(2);
  });
});
