import { expect, test } from 'vitest';
import { declaredToModern } from '#gateway/adapters/upstream/capabilities.ts';
import { legacyClient, modernClient } from '#test/support/values.ts';

const apps = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } };
const tasks = { 'io.modelcontextprotocol/tasks': {} };

test('a modern server hears of both extensions of a caller that declares both, and of tasks from modern callers only', () => {
  const capabilities = { extensions: { ...apps, ...tasks, 'com.example/x': {} }, roots: { listChanged: true } };
  expect(declaredToModern({ ...modernClient, capabilities })).toEqual({ extensions: { ...apps, ...tasks }, roots: {} });
  expect(declaredToModern({ ...legacyClient, capabilities })).toEqual({ extensions: apps, roots: {} });
});
