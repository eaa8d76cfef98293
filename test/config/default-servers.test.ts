import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { expect, test } from 'vitest';
import { isConfigErrors } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import type { ServerConfig } from '#gateway/core/config.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const loaded = await loadConfig(join(import.meta.dirname, '../../config/gateway.yaml'), {});
const servers = isConfigErrors(loaded) ? {} : loaded.config.servers;

/** Clients with these capabilities are shown more tools by `everything`. */
const capabilities = {
  roots: {},
  sampling: {},
  elicitation: { form: {}, url: {} },
  tasks: { requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
};

async function toolsOf(server: ServerConfig, offers: object): Promise<readonly string[]> {
  await using folder = await scratchFolder();
  const [program = '', ...args] = server.command ?? [];
  const command = resolve(server.cwd ?? '', program);
  const client = new Client({ name: 'test', version: '1' }, { capabilities: offers });
  await client.connect(new StdioClientTransport({ command, args, cwd: folder.path, stderr: 'ignore' }));
  try {
    const { tools } = await client.listTools();
    return tools.map((tool) => tool.name);
  } finally {
    await client.close();
  }
}

test('the default config runs two servers', () => {
  expect(Object.keys(servers)).toEqual(['everything', 'files']);
});

test.each(Object.entries(servers))('every tool of %s is classified, and nothing else is', async (_, server) => {
  const plain = await toolsOf(server, {});
  const all = new Set([...plain, ...(await toolsOf(server, capabilities))]);
  expect(Object.keys(server.tools).sort()).toEqual([...all].sort());
});

test('moving a file is risky, and both of its paths are looked at', () => {
  expect(servers.files?.tools.move_file).toEqual({
    action: 'write',
    risk: 'high',
    ...{ paths: ['/source', '/destination'], urls: [], commands: [], branches: [] },
  });
});

test('a relative path starts where the program does', () => {
  expect(servers.files?.cwd).toBe(servers.files?.roots.workspace);
});
