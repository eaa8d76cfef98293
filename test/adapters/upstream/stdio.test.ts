import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isRefusal } from '#gateway/core/refusals.ts';
import type { Live } from '#gateway/ports.ts';
import {
  aCall,
  bin,
  eventsOf,
  jsonOf,
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

async function liveOf({ upstream }: Started): Promise<Live> {
  const live = await upstream.live();
  if (isRefusal(live)) throw new Error(live.detail);
  return live;
}

describe('a published server as a child process', () => {
  test('server-everything lists everything it announces, over all pages', async () => {
    const live = await liveOf(start({ command: [bin('mcp-server-everything'), 'stdio'] }));
    expect(live.definitions.tools.map((tool) => tool.name)).toContain('echo');
    expect(live.definitions.prompts.length).toBeGreaterThan(0);
    expect(live.definitions.templates.length).toBeGreaterThan(0);
    expect(live.resources.length).toBeGreaterThan(0);
    expect(live.definitions.instructions).toEqual(expect.any(String));
    expect(live.capabilities).toHaveProperty('tools');
  });

  test.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    'hears no %s, which is another method in its era',
    async (method) => {
      const { upstream } = start();
      const answer = await upstream.send(aCall({ method, params: { taskId: 'x' } }));
      expect(answer).toMatchObject({ kind: 'refusal', refusal: { refused: 'task_unknown' } });
    },
  );

  test('server-everything shows only PATH and the environment of its config', async () => {
    const { upstream } = start({ command: [bin('mcp-server-everything'), 'stdio'], env: { GREETING: 'hello' } });
    expect(jsonOf(await upstream.send(toolCall('get-env')))).toEqual({ PATH: process.env.PATH, GREETING: 'hello' });
  });

  test('server-everything reports progress under the token that the caller chose', async () => {
    const { upstream } = start({ command: [bin('mcp-server-everything'), 'stdio'] });
    const params = {
      name: 'trigger-long-running-operation',
      arguments: { duration: 0.2, steps: 2 },
      _meta: { progressToken: 'mine' },
    };
    const events = await eventsOf(await upstream.send(aCall({ params })));
    expect(events.map((event) => event.kind)).toEqual(['notification', 'notification', 'result']);
    expect(events[0]).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'mine' } });
  });

  test('server-filesystem reads a file of its directory and refuses one outside', async () => {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'sekisho-stdio-')));
    try {
      await writeFile(join(directory, 'note.txt'), 'a note');
      const { upstream } = start({ command: [bin('mcp-server-filesystem'), directory], cwd: directory });
      const read = (path: string) => upstream.send(toolCall('read_text_file', { path }));
      expect(textOf(await read(join(directory, 'note.txt')))).toBe('a note');
      expect(textOf(await read('/etc/hostname'))).toMatch(/denied/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('the handshake', () => {
  test('offers 2025-11-25, declares no client capability, and says when it is done', async () => {
    const { upstream } = start();
    const heard = jsonOf(await upstream.send(toolCall('heard')));
    expect(heard).toMatchObject([
      { method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } },
      { method: 'notifications/initialized' },
      { method: 'tools/call' },
    ]);
  });

  test.each(['2025-06-18', '2025-03-26', '2024-11-05'])('accepts a server that speaks %s', async (revision) => {
    const { upstream } = start({ command: [process.execPath, scripted, `--revision=${revision}`] });
    expect(textOf(await upstream.send(toolCall('echo', { a: 1 })))).toBe('{"a":1}');
  });

  test.each([
    [['--revision=2031-01-01'], /speaks MCP 2031-01-01 and none of 2025-11-25/],
    [['--revision=<b>ignore</b>'], /speaks MCP of an unknown revision/],
    [['--refuse'], /refused to initialize \(error -32022\)/],
    [['--no-handshake'], /did not initialize within 0\.3 s/],
    [['--exit=3'], /exited with code 3/],
  ])('takes a server with %s for down, and says why', async (args, why) => {
    const { upstream, notices } = start({
      command: [process.execPath, scripted, ...args],
      // Only who never answers is waited for: on a busy machine a program alone may take that long to start.
      timings: { handshake: args.includes('--no-handshake') ? 300 : 20_000 },
    });
    expect(await upstream.send(toolCall('echo'))).toMatchObject({
      kind: 'refusal',
      refusal: { refused: 'upstream_unreachable', detail: expect.stringMatching(why) },
    });
    expect(notices[0]).toEqual({ kind: 'down', why: expect.stringMatching(why) });
    expect(await upstream.live()).toMatchObject({ refused: 'upstream_unreachable' });
  });

  test('takes a program that does not exist for down', async () => {
    const { upstream } = start({ command: ['no-such-program-anywhere'] });
    expect(await upstream.live()).toMatchObject({
      refused: 'upstream_unreachable',
      detail: expect.stringContaining('could not be started (ENOENT)'),
    });
  });

  test('takes a working directory that does not exist for down', async () => {
    const { upstream } = start({ cwd: join(tmpdir(), 'no-such-directory') });
    expect(await upstream.send(toolCall('echo'))).toMatchObject({ refusal: { refused: 'upstream_unreachable' } });
  });

  test('lets a call wait for a child that starts, and for no longer than the connect limit', async () => {
    const { upstream } = start({ command: [process.execPath, scripted, '--no-handshake'] });
    expect(await upstream.send(toolCall('echo', {}, { limits: { connect: 100 } }))).toMatchObject({
      refusal: { refused: 'upstream_unreachable', detail: expect.stringContaining('still starting') },
    });
  });
});

describe('a call', () => {
  test('has one time limit for waiting until the child is up and for its answer', async () => {
    const { upstream } = start({ command: [process.execPath, scripted, '--slow-handshake=3000'] });
    const began = performance.now();
    expect(await upstream.send(toolCall('never', {}, { limits: { timeout: 4_000 } }))).toMatchObject({
      refusal: { refused: 'upstream_timeout', detail: expect.stringContaining('within 4 s') },
    });
    expect(performance.now() - began).toBeLessThan(6_000);
  });

  test('comes back parsed, and as the text that the server wrote', async () => {
    const { upstream } = start();
    expect(await upstream.send(toolCall('spaced'))).toEqual({
      kind: 'result',
      result: { 'a"}': ['}', {}] },
      source: '{ "a\\"}" : [ "}" , { } ] }',
    });
  });

  test('passes the error of the server on', async () => {
    const { upstream } = start();
    expect(await upstream.send(toolCall('fails'))).toEqual({
      kind: 'error',
      error: { code: -32002, message: 'no such thing', data: { why: 'test' } },
    });
  });

  test('never shows the server the progress token of the caller, and reports under it', async () => {
    const { upstream } = start();
    const params = {
      name: 'progress',
      arguments: {},
      _meta: { progressToken: 'chosen-by-caller', traceparent: '00-a' },
    };
    const events = await eventsOf(await upstream.send(aCall({ params })));
    const tokens = events.slice(0, -1).map((event) => 'params' in event && event.params.progressToken);
    expect(tokens).toEqual(['chosen-by-caller', 'chosen-by-caller', 'chosen-by-caller']);
    expect(events.at(-1)).toMatchObject({ kind: 'result', result: { content: [{ text: 'done' }] } });
    const heard = JSON.stringify(jsonOf(await upstream.send(toolCall('heard'))));
    expect(heard).not.toContain('chosen-by-caller');
    expect(heard).toContain('"traceparent":"00-a"');
  });

  test('gets its own answer among 1,000 at once that are answered in any order', async () => {
    const { upstream } = start();
    const calls = Array.from({ length: 1_000 }, (_, own) => upstream.send(toolCall('shuffled', { own })));
    const answers = await Promise.all(calls);
    expect(answers.map(jsonOf)).toEqual(Array.from({ length: 1_000 }, (_, own) => ({ own })));
  });

  test('gets its own progress among 200 that all chose the same token', async () => {
    const { upstream } = start();
    const calls = Array.from({ length: 200 }, async (_, own) => {
      const params = { name: 'progress', arguments: { count: 1 + (own % 3) }, _meta: { progressToken: 0 } };
      return (await eventsOf(await upstream.send(aCall({ params })))).length;
    });
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 200 }, (_, own) => 2 + (own % 3)));
  });

  test('larger than a pipe holds, with characters that some take for a new line, arrives whole', async () => {
    const { upstream } = start();
    const text = 'é\u2028\u0085\n"'.repeat(500_000);
    expect(jsonOf(await upstream.send(toolCall('echo', { text }, { answerBytes: 64 * 1024 ** 2 })))).toEqual({ text });
  });
});

describe('what a server says unasked', () => {
  test('is told on when it is about the server, and dropped when it could belong to another caller', async () => {
    const { upstream, notices, logged } = start();
    const params = { name: 'chatters', arguments: {}, _meta: { progressToken: 1 } };
    expect(textOf(await upstream.send(aCall({ params })))).toBe('chattered');
    expect(notices).toEqual([
      { kind: 'up' },
      { kind: 'changed', what: 'tools' },
      { kind: 'updated', uri: 'demo://one' },
    ]);
    expect(JSON.stringify(logged)).not.toContain('secret of another caller');
    expect(logged.map(({ fields }) => fields)).toContainEqual({ server: 'demo', oddity: 'logMessage' });
  });

  test('is refused when it is a question, and answered when it is a ping', async () => {
    const { upstream } = start();
    expect(jsonOf(await upstream.send(toolCall('asks')))).toEqual([
      { jsonrpc: '2.0', id: 'q1', error: { code: -32601, message: expect.any(String) } },
      { jsonrpc: '2.0', id: 'q2', result: {} },
    ]);
  });
});

describe('what a server lists', () => {
  test('is asked of the child, and a method it announced but does not know is an empty list', async () => {
    const live = await liveOf(start());
    expect(live).toEqual({
      definitions: {
        tools: [{ name: 'echo', inputSchema: { type: 'object' } }],
        prompts: [],
        templates: [],
        instructions: null,
      },
      resources: [{ uri: 'demo://one', name: 'one' }],
      capabilities: { tools: { listChanged: true }, resources: {} },
    });
  });

  test('is a refusal when it cannot be listed safely', async () => {
    const { upstream } = start({ command: [process.execPath, scripted, '--tool=bad name'] });
    expect(await upstream.live()).toMatchObject({
      refused: 'upstream_invalid',
      detail: expect.stringContaining('tools/list holds the name "bad name"'),
    });
  });

  test('is a refusal when the server dies while it is asked', async () => {
    const { upstream } = start({ command: [process.execPath, scripted, '--dies-at=resources/list'] });
    expect(await upstream.live()).toMatchObject({
      refused: 'upstream_lost',
      detail: expect.stringContaining('exited with code 7'),
    });
  });
});
