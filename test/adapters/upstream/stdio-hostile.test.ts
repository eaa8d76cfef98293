import { afterEach, describe, expect, test } from 'vitest';
import { comesTrue } from '#test/support/processes.ts';
import {
  aCall,
  eventsOf,
  type Started,
  scripted,
  startUpstream,
  textOf,
  toolCall,
} from '#test/support/stdio-upstreams.ts';

const started: Started[] = [];
const start: typeof startUpstream = (options) => {
  const one = startUpstream(options);
  started.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.close()));
});

const oddities = ({ logged }: Started): unknown[] =>
  logged.flatMap(({ level, fields }) => ('oddity' in fields ? [`${level} ${fields.oddity}`] : []));

describe('lines that are no answers', () => {
  test('are ignored and named once in the log, never shown in it', async () => {
    const one = start();
    for (let time = 0; time < 3; time += 1) {
      expect(textOf(await one.upstream.send(toolCall('garbage')))).toBe('still here');
    }
    expect(oddities(one)).toEqual(['warn notJson', 'warn notMessage']);
    expect(JSON.stringify(one.logged)).not.toContain('hunter2');
  });

  test('with ids of nobody end nobody else', async () => {
    const one = start();
    const [slow, own] = await Promise.all([
      one.upstream.send(toolCall('slow', { ms: 100 })),
      one.upstream.send(toolCall('foreign')),
    ]);
    expect([textOf(slow), textOf(own)]).toEqual(['slow', { content: [{ type: 'text', text: 'own' }] }].map(textAlone));
    expect(oddities(one)).toContain('warn unknownAnswer');
  });

  test('that answer twice are ignored the second time', async () => {
    const one = start();
    expect(textOf(await one.upstream.send(toolCall('twice')))).toBe('first');
    expect(textOf(await one.upstream.send(toolCall('echo')))).toBe('{}');
    expect(oddities(one)).toEqual(['warn secondAnswer']);
  });

  test('that are a batch are understood from a server of 2025-03-26 only', async () => {
    const old = start({ command: [process.execPath, scripted, '--revision=2025-03-26'] });
    expect(textOf(await old.upstream.send(toolCall('batch')))).toEqual({ batched: true });
    const one = start();
    expect(await one.upstream.send(toolCall('batch', {}, { limits: { firstByte: 300 } }))).toMatchObject({
      refusal: { refused: 'upstream_timeout' },
    });
  });
});

const textAlone = (value: unknown): unknown =>
  typeof value === 'string' ? value : (value as { content: { text: string }[] }).content[0]?.text;

describe('answers that are not MCP', () => {
  test.each([
    ['not-an-answer', /not exactly one of "result" and "error"/],
    ['two-results', /names a member twice/],
    ['not-utf8', /not UTF-8/],
  ])('refuse the call they answer: %s', async (tool, why) => {
    const { upstream } = start();
    expect(await upstream.send(toolCall(tool))).toMatchObject({
      kind: 'refusal',
      refusal: { refused: 'upstream_invalid', detail: expect.stringMatching(why) },
    });
    expect(textOf(await upstream.send(toolCall('echo')))).toBe('{}');
  });
});

describe('answers that are too large', () => {
  const tooLarge = {
    kind: 'refusal',
    refusal: {
      refused: 'answer_too_large',
      detail: expect.stringMatching(/larger than 64 KiB.*Ask for less/),
      data: { server: 'demo', limitBytes: 65_536 },
    },
  };

  test('are refused with the limit, and leave the server usable', async () => {
    const { upstream } = start();
    const answerBytes = 65_536;
    expect(await upstream.send(toolCall('bytes', { count: 1_000_000 }, { answerBytes }))).toMatchObject(tooLarge);
    expect(textOf(await upstream.send(toolCall('bytes', { count: 60_000 }, { answerBytes })))).toHaveLength(60_000);
  });

  test('are refused as they arrive, before the server is done with them', async () => {
    const { upstream, notices } = start();
    const half = toolCall(
      'half-a-line',
      { count: 200_000, ms: 300 },
      { answerBytes: 65_536, limits: { firstByte: 200 } },
    );
    expect(await upstream.send(half)).toMatchObject(tooLarge);
    expect(textOf(await upstream.send(toolCall('slow', { ms: 400 })))).toBe('slow');
    expect(notices).toEqual([{ kind: 'up' }]);
  });

  test('are told apart from the answers of other calls by their ids', async () => {
    const { upstream } = start();
    const [large, small] = await Promise.all([
      upstream.send(toolCall('bytes', { count: 1_000_000 }, { answerBytes: 65_536 })),
      upstream.send(toolCall('bytes', { count: 1_000 }, { answerBytes: 65_536 })),
    ]);
    expect(large).toMatchObject(tooLarge);
    expect(textOf(small)).toHaveLength(1_000);
  });

  test('of a call that was given up do not end the next one', async () => {
    const { upstream } = start();
    const late = toolCall('slow-bytes', { ms: 300, count: 1_000_000 }, { limits: { firstByte: 50 } });
    expect(await upstream.send(late)).toMatchObject({ refusal: { refused: 'upstream_timeout' } });
    const next = await upstream.send(toolCall('slow', { ms: 500 }, { answerBytes: 65_536 }));
    expect(textOf(next)).toBe('slow');
  });

  test('without an end are refused at the limit, and the server is stopped at the cap of a line', async () => {
    const { upstream, notices } = start();
    expect(await upstream.send(toolCall('endless', {}, { answerBytes: 65_536 }))).toMatchObject(tooLarge);
    expect(await comesTrue(() => notices.some((notice) => notice.kind === 'down'))).toBe(true);
    expect(notices).toContainEqual({ kind: 'down', why: 'sent a message larger than 8 MiB' });
    expect(await comesTrue(() => notices.at(-1)?.kind === 'up')).toBe(true);
    expect(textOf(await upstream.send(toolCall('echo')))).toBe('{}');
  });

  test('without an end refuse every call under way, since nobody knows whose they are', async () => {
    const { upstream } = start();
    const before = process.memoryUsage().rss;
    const answers = await Promise.all([
      upstream.send(toolCall('never')),
      upstream.send(toolCall('endless')),
      upstream.send(toolCall('never')),
    ]);
    const invalid = { kind: 'refusal', refusal: { refused: 'upstream_invalid' } };
    expect(answers).toMatchObject([invalid, invalid, invalid]);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 ** 2);
  });

  test('count what came before the end of a stream', async () => {
    const { upstream } = start();
    const params = {
      name: 'progress',
      arguments: { endless: true, count: 1_000_000, ms: 1 },
      _meta: { progressToken: 1 },
    };
    const events = await eventsOf(await upstream.send(aCall({ params, answerBytes: 2_000 })));
    expect(events.at(-1)).toMatchObject({ kind: 'refusal', refusal: { refused: 'answer_too_large' } });
    expect(events.length).toBeLessThan(50);
  });
});

describe('a server that does not read', () => {
  test('lets calls time out, and is handed no more than is bounded', async () => {
    const { upstream } = start();
    expect(textOf(await upstream.send(toolCall('deafens')))).toBe('deaf now');
    const text = 'x'.repeat(1024 ** 2);
    const calls = Array.from({ length: 30 }, () =>
      upstream.send(toolCall('echo', { text }, { limits: { firstByte: 500 } })),
    );
    const reasons = (await Promise.all(calls)).map((answer) => answer.kind === 'refusal' && answer.refusal.refused);
    expect(new Set(reasons)).toEqual(new Set(['upstream_timeout', 'upstream_unreachable']));
  });
});

test('a definition that two parsers would read apart is not believed', async () => {
  const one = start({ command: [process.execPath, scripted, '--tool-member-twice'] });
  expect(await one.upstream.live()).toMatchObject({
    refused: 'upstream_invalid',
    detail: expect.stringContaining('names the member "title" twice'),
  });
});
