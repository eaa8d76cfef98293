import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { everythingServer, filesServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { refusalIn } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '#test/support/otlp-receiver.ts';

let sekisho: TestGateway;
let collector: OtlpReceiver;
let workspace: string;

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  collector = await startOtlpReceiver();
  sekisho = await startGateway({
    servers: {
      everything: everythingServer,
      files: { ...filesServer(workspace), limits: { answer: '4KiB' } },
    },
    telemetry: { traces: { endpoint: collector.url, ratio: 1 } },
  });
}, 120_000);

afterAll(async () => {
  await sekisho?.close();
  await collector?.close();
  await rm(workspace, { recursive: true, force: true });
});

/** Makes one call in a run of its own, and gathers what it left behind. */
async function leaveTrail(run: string, name: string, args: Record<string, unknown>) {
  const client = await sekisho.client({ token: await sekisho.token({ run }) });
  const before = await sekisho.metrics();
  const result = await client.callTool({ name, arguments: args });
  const lines = (await sekisho.audit()).filter((line) => line.run === run && line.method === 'tools/call');
  const after = await sekisho.metrics();
  const counted = (labels: Record<string, string>): number =>
    total(after, 'sekisho_tool_calls_total', labels) - total(before, 'sekisho_tool_calls_total', labels);
  const spans = await vi.waitFor(
    () => {
      const found = collector.spans.filter((span) => span.traceId === lines[0]?.trace_id);
      expect(found.some(({ kind }) => kind === 'server')).toBe(true);
      return found;
    },
    { timeout: 10_000, interval: 50 },
  );
  return { client, result, lines, counted, spans };
}

const kinds = (spans: readonly ReceivedSpan[]): string[] => spans.map(({ kind }) => kind).sort();

describe('the main job, on two real servers', () => {
  test('the list on /mcp holds both servers’ tools', async () => {
    const { tools } = await (await sekisho.client()).listTools();
    const names = tools.map((tool) => tool.name);
    expect(names).toContain('everything__echo');
    expect(names).toContain('files__read_text_file');
  });

  test('a list on the URL of one server has its tools alone, under their own names', async () => {
    const { tools } = await (await sekisho.client({ path: '/mcp/server/files' })).listTools();
    const names = tools.map((tool) => tool.name);
    expect(names).toContain('read_text_file');
    expect(names.filter((name) => name.includes('__') || name === 'echo')).toEqual([]);
  });

  test('a write inside the workspace is allowed and lands on the disk', async () => {
    const client = await sekisho.client();
    await client.callTool({ name: 'files__write_file', arguments: { path: 'a.txt', content: 'hello' } });
    expect(await readFile(join(workspace, 'a.txt'), 'utf8')).toBe('hello');
  });

  test('a read is allowed and answered: one audit line, one count, SERVER → CLIENT in one trace', async () => {
    await writeFile(join(workspace, 'read.txt'), 'to be read');
    const trail = await leaveTrail('reads', 'files__read_text_file', { path: 'read.txt' });
    expect(trail.result.content).toMatchObject([{ type: 'text', text: 'to be read' }]);
    expect(trail.lines).toHaveLength(1);
    expect(trail.lines[0]).toMatchObject({
      ...{ server: 'files', tool: 'read_text_file', run: 'reads', outcome: 'ok', reason: null },
      decision: { verdict: 'allow' },
      upstream_ms: expect.any(Number),
      revision: sekisho.gateway.snapshots.current().revision,
    });
    expect(trail.counted({})).toBe(1);
    expect(trail.counted({ server: 'files', tool: 'read_text_file' })).toBe(1);
    expect(kinds(trail.spans)).toEqual(['client', 'server']);
    const server = trail.spans.find(({ kind }) => kind === 'server');
    const client = trail.spans.find(({ kind }) => kind === 'client');
    expect(client?.parentSpanId).toBe(server?.spanId);
  });

  test('a write outside the workspace is denied with the reason and never reaches the server', async () => {
    const outside = `${workspace}-outside.txt`;
    const trail = await leaveTrail('escapes', 'files__write_file', { path: outside, content: 'x' });
    expect(trail.result.isError).toBe(true);
    expect(refusalIn(trail.result)).toMatchObject({ reason: 'policy_denied', codes: ['PATH_OUTSIDE_ROOT'] });
    expect(JSON.stringify(trail.result.content)).toContain('outside');
    await expect(readFile(outside)).rejects.toThrow('ENOENT');
    expect(trail.lines).toHaveLength(1);
    expect(trail.lines[0]).toMatchObject({
      ...{ server: 'files', tool: 'write_file', outcome: 'denied', reason: 'policy_denied', upstream_ms: null },
      decision: { verdict: 'deny', codes: ['PATH_OUTSIDE_ROOT'] },
    });
    expect(trail.counted({})).toBe(1);
    expect(trail.counted({ server: 'files', tool: 'write_file' })).toBe(1);
    expect(kinds(trail.spans)).toEqual(['server']);
  });

  test.each([
    ['dots that climb out', '../up.txt'],
    ['dots inside a path', 'a/../../up.txt'],
    ['an absolute path', '/etc/hostname'],
  ])('a path with %s is denied', async (_, path) => {
    const client = await sekisho.client();
    const result = await client.callTool({ name: 'files__write_file', arguments: { path, content: 'x' } });
    expect(refusalIn(result)).toMatchObject({ reason: 'policy_denied' });
    expect(await readdir(join(workspace, '..'))).not.toContain('up.txt');
  });

  test('an answer over the cap is refused, says the limit, and leaves session and server usable', async () => {
    await writeFile(join(workspace, 'big.txt'), 'x'.repeat(100_000));
    const trail = await leaveTrail('asks-for-much', 'files__read_text_file', { path: 'big.txt' });
    expect(trail.result.isError).toBe(true);
    expect(refusalIn(trail.result)).toMatchObject({ reason: 'answer_too_large' });
    expect(JSON.stringify(trail.result.content)).toMatch(/4 KiB.*Ask for less/);
    expect(trail.lines).toHaveLength(1);
    expect(trail.lines[0]).toMatchObject({ server: 'files', outcome: 'answer_refused', reason: 'answer_too_large' });
    expect(trail.counted({ server: 'files', tool: 'read_text_file' })).toBe(1);
    expect(kinds(trail.spans)).toEqual(['client', 'server']);
    await writeFile(join(workspace, 'small.txt'), 'small');
    const next = await trail.client.callTool({ name: 'files__read_text_file', arguments: { path: 'small.txt' } });
    expect(next.content).toMatchObject([{ text: 'small' }]);
  });

  test('a tool with a progress token tells its progress through the gateway', async () => {
    const client = await sekisho.client();
    const told: number[] = [];
    const result = await client.callTool(
      { name: 'everything__trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } },
      undefined,
      { onprogress: ({ progress }) => void told.push(progress) },
    );
    expect(result.isError).toBeFalsy();
    expect(told).toEqual([1, 2]);
  });
});
