import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, JsonValue } from '#gateway/core/json.ts';
import { answerJson, startHostileUpstream } from './hostile-upstream.ts';

/** An MCP server that lists exactly these definitions, and answers a call with what is written for its tool. */
export interface ListingServer {
  readonly url: string;
  /** May be changed at any time; the next who asks is told. */
  readonly lists: { tools: JsonObject[]; instructions: string | null };
  /** Results by tool. */
  readonly results: Map<string, JsonObject>;
  /** The tools that were called, in order. */
  readonly calls: string[];
  /** What they were called with. */
  readonly sent: JsonObject[];
  /** Milliseconds that it thinks before it answers a call. */
  readonly delay: { ms: number };
  close(): Promise<void>;
}

export const aTool = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  description: 'Does what its name says.',
  inputSchema: { type: 'object' },
  ...more,
});

export async function startListing(tools: JsonObject[], instructions: string | null = null): Promise<ListingServer> {
  const lists = { tools, instructions };
  const results = new Map<string, JsonObject>();
  const calls: string[] = [];
  const sent: JsonObject[] = [];
  const delay = { ms: 0 };
  const upstream = await startHostileUpstream({
    initialize: ({ response, message }) => {
      const info = {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'l', version: '1' },
      };
      const told = lists.instructions === null ? {} : { instructions: lists.instructions };
      answerJson(response, answer(message.id, { ...info, ...told }));
    },
    'tools/list': ({ response, message }) => answerJson(response, answer(message.id, { tools: lists.tools })),
    'tools/call': async ({ response, message }) => {
      const { name: called, arguments: args } = message.params as JsonObject;
      const name = String(called);
      calls.push(name);
      sent.push(args as JsonObject);
      if (delay.ms > 0) await sleep(delay.ms);
      answerJson(response, answer(message.id, results.get(name) ?? { content: [{ type: 'text', text: 'done' }] }));
    },
  });
  return { url: upstream.url, lists, results, calls, sent, delay, close: upstream.close };
}

const answer = (id: JsonValue | undefined, result: JsonObject): object => ({ jsonrpc: '2.0', id, result });
