import { setTimeout as sleep } from 'node:timers/promises';
import {
  CLIENT_CAPABILITIES_META_KEY,
  fromJsonSchema,
  inputRequired,
  McpServer,
  type RequestStateCodec,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import {
  type Answers,
  type Around,
  type Asks,
  prompt,
  prompts,
  readResource,
  resources,
  type Tool,
  text,
  tools,
} from './everything-content.ts';
import { inputTools } from './everything-inputs.ts';

/** The answers of the rounds that are over: what `requestState` carries. */
export interface RoundState {
  readonly rounds: readonly Answers[];
}

export interface DualParts {
  readonly added: Readonly<Record<string, Tool>>;
  readonly states: RequestStateCodec<RoundState>;
  /** Whether there is one more of them just now. */
  readonly extra: { readonly tools: boolean; readonly prompts: boolean };
  change(what: 'tools' | 'prompts'): void;
}

/** One server of the SDK 2.x; in the modern era there is one for each request, so all that lasts comes in `parts`. */
export function createDualServer(parts: DualParts): McpServer {
  const capabilities = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    completions: {},
    logging: {},
  };
  const info = { name: 'everything-dual', version: '2' };
  const requestState = { verify: parts.states.verify };
  const server = new McpServer(info, { capabilities, requestState, instructions: 'Serves everything.' });
  for (const [name, tool] of Object.entries({ ...tools, ...inputTools, ...triggers(parts), ...parts.added })) {
    addTool(server, parts, name, tool);
  }
  addResources(server);
  addPrompts(server, parts);
  server.server.setRequestHandler('logging/setLevel', () => ({}));
  server.server.setRequestHandler('completion/complete', ({ params }) => ({
    completion: {
      values: ['paris', 'park', 'party'].filter((value) => value.startsWith(params.argument.value)),
      hasMore: false,
    },
  }));
  return server;
}

const tool = (description: string, run: Tool['run']): Tool => ({ description, inputSchema: { type: 'object' }, run });
const told = (): { content: object[] } => ({ content: [text('told')] });

const triggers = ({ extra, change }: DualParts): Record<string, Tool> => ({
  test_trigger_tool_change: tool('Changes the list of tools.', () => {
    change('tools');
    return told();
  }),
  test_trigger_prompt_change: tool('Changes the list of prompts.', () => {
    change('prompts');
    return told();
  }),
  ...(extra.tools ? { test_extra_tool: tool('There since the list changed.', told) } : {}),
});

/** What a call still needs to be told. */
class Needed extends Error {
  readonly asks: Asks;
  readonly rounds: readonly Answers[];
  constructor(asks: Asks, rounds: readonly Answers[]) {
    super('input is needed');
    this.asks = asks;
    this.rounds = rounds;
  }
}

function addTool(server: McpServer, parts: DualParts, name: string, tool: Tool): void {
  const { description, run, _meta } = tool;
  const inputSchema = fromJsonSchema<Record<string, unknown>>(tool.inputSchema as never);
  const output = tool.outputSchema ? { outputSchema: fromJsonSchema(tool.outputSchema as never) } : {};
  server.registerTool(
    name,
    { description, inputSchema, ...output, ...(_meta ? { _meta } : {}) } as never,
    ((args: object, ctx: ServerContext) => asking(parts, ctx, (around) => run({ ...args }, around))) as never,
  );
}

/** Runs it, or says what it needs to be told first; each round it runs again from the start, with what is known by now. */
async function asking({ states }: DualParts, ctx: ServerContext, run: (around: Around) => unknown): Promise<unknown> {
  try {
    return await run(aroundOf(ctx));
  } catch (need) {
    if (!(need instanceof Needed)) throw need;
    const requestState = await states.mint({ rounds: need.rounds });
    return inputRequired({ inputRequests: need.asks as never, requestState });
  }
}

function aroundOf(ctx: ServerContext): Around {
  const { mcpReq } = ctx;
  const envelope = (mcpReq.envelope ?? {}) as Record<string, Record<string, unknown>>;
  const known = [...(mcpReq.requestState<RoundState>()?.rounds ?? [])];
  let round = 0;
  const askAll: Around['askAll'] = async (asks, suits = () => true) => {
    const now = round++;
    const earlier = known[now];
    if (earlier) return earlier;
    const given = now === known.length ? (mcpReq.inputResponses as Answers | undefined) : undefined;
    if (!given || !Object.keys(asks).every((key) => key in given) || !suits(given)) throw new Needed(asks, known);
    known.push(given);
    return given;
  };
  return {
    askAll,
    token: mcpReq._meta?.progressToken,
    signal: mcpReq.signal,
    arrived: { headers: Object.fromEntries(ctx.http?.req?.headers ?? []), meta: { ...envelope, ...mcpReq._meta } },
    declared: envelope[CLIENT_CAPABILITIES_META_KEY] ?? {},
    ...(ctx.http?.closeSSE ? { closeStream: ctx.http.closeSSE } : {}),
    async notify({ method, params }) {
      const { level, data } = params as { level: 'info'; data: unknown };
      if (method === 'notifications/message') await mcpReq.log(level, data);
      else await mcpReq.notify({ method, params: params as Record<string, unknown> });
    },
    async ask(method, params) {
      const key = `answer${round}`;
      return (await askAll({ [key]: { method, params } }))[key] ?? {};
    },
  };
}

function addResources(server: McpServer): void {
  for (const { uri, ...about } of resources) {
    server.registerResource(about.name, uri, about, () => ({ contents: [readResource(uri)] as never }));
  }
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { description: 'By id.' }, (uri) => ({
    contents: [readResource(uri.href)] as never,
  }));
  server.server.setRequestHandler('resources/subscribe', ({ params }) => {
    // A moment later the resource changes, so that whoever subscribed hears of it.
    void sleep(100).then(() => server.server.sendResourceUpdated({ uri: params.uri }).catch(() => undefined));
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

function addPrompts(server: McpServer, parts: DualParts): void {
  for (const { name, description, arguments: args } of prompts) {
    const says = (given: Record<string, string>) => ({ messages: prompt(name, given) as never });
    if (!args) server.registerPrompt(name, { description }, () => says({}));
    else {
      const shape = Object.fromEntries(args.map((one) => [one.name, z.string().describe(one.description)]));
      server.registerPrompt(name, { description, argsSchema: z.object(shape) }, (given) => says(given));
    }
  }
  const asked: Asks = {
    user_context: {
      method: 'elicitation/create',
      params: {
        message: 'What context should the prompt use?',
        requestedSchema: { type: 'object', properties: { context: { type: 'string' } }, required: ['context'] },
      },
    },
  };
  if (parts.extra.prompts)
    server.registerPrompt('test_extra_prompt', { description: 'There since the list changed.' }, () => ({
      messages: [],
    }));
  const about = { description: 'Asks before it is rendered.' };
  server.registerPrompt('test_input_required_result_prompt', about, (async (ctx: ServerContext) =>
    asking(parts, ctx, async ({ askAll }) => {
      const { context } = ((await askAll(asked)).user_context?.content ?? {}) as { context?: string };
      return { messages: [{ role: 'user', content: text(`Use the following context: ${context}`) }] };
    })) as never);
}
