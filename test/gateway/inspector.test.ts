import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { finished } from '#test/support/finished.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';

let upstream: EverythingUpstream;
let sekisho: TestGateway;

beforeAll(async () => {
  upstream = await startEverything();
  sekisho = await startGateway({
    servers: { up: anOpenServer(upstream.url) },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

const inspect = async (...args: string[]) => {
  const header = `Authorization: Bearer ${await sekisho.token()}`;
  const how = ['--cli', `${sekisho.origin}/mcp`, '--transport', 'http', '--header', header];
  return finished('mcp-inspector', [...how, ...args], 60_000);
};

describe('the official inspector, with a token over HTTP', () => {
  test('lists the tools', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await inspect('--method', 'tools/list');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { tools } = JSON.parse(stdout) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toContain('up__echo');
  });

  test('calls a tool', { timeout: 60_000 }, async () => {
    const args = ['--method', 'tools/call', '--tool-name', 'up__echo', '--tool-arg', 'message=hello'];
    const { code, stdout } = await inspect(...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ content: [{ type: 'text', text: 'hello' }] });
  });
});
