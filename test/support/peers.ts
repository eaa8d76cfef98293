import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** An official client with a person and a model behind it, by what tests do with one of either era. */
export interface Peer {
  call(name: string, args?: object, options?: { signal?: AbortSignal; progress?: () => void }): Promise<Called>;
  /** The names of all tools; the client checks what it calls against their schemas from now on. */
  list(): Promise<string[]>;
  read(uri: string): Promise<unknown>;
  prompt(name: string): Promise<unknown>;
  complete(prompt: string, argument: string, value: string): Promise<unknown>;
  /** Begins to listen for changes of this resource and of the list of tools. */
  watch(uri: string): Promise<void>;
  /** Notifications that came, by method. */
  readonly heard: string[];
  close(): Promise<void>;
}

export interface Called {
  readonly text: string;
  readonly isError: boolean;
}

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const person = {
  elicitation: (params: { mode?: unknown }) =>
    params.mode === 'url'
      ? { action: 'accept' as const }
      : { action: 'accept' as const, content: { username: 'Ann', email: 'ann@example.com' } },
  sampling: () => ({ role: 'assistant' as const, model: 'm', content: { type: 'text' as const, text: 'Paris' } }),
  roots: () => ({ roots: [{ uri: 'file:///home/ann' }] }),
};

const calledOf = (result: unknown): Called => {
  const { content, isError } = result as { content?: { text?: string }[]; isError?: boolean };
  return { text: content?.[0]?.text ?? '', isError: isError === true };
};

export async function legacyPeer(url: URL, token: string): Promise<Peer> {
  const heard: string[] = [];
  const client = new LegacyClient({ name: 'peer', version: '1' }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => person.elicitation(params));
  client.setRequestHandler(CreateMessageRequestSchema, person.sampling);
  client.setRequestHandler(ListRootsRequestSchema, person.roots);
  const note = ({ method }: { method: string }): void => void heard.push(method);
  client.setNotificationHandler(LoggingMessageNotificationSchema, note);
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, note);
  client.setNotificationHandler(ToolListChangedNotificationSchema, note);
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new LegacyTransport(url, { requestInit }) as never);
  return {
    heard,
    async call(name, args = {}, { signal, progress } = {}) {
      const options = { ...(signal ? { signal } : {}), ...(progress ? { onprogress: progress } : {}) };
      return calledOf(await client.callTool({ name, arguments: { ...args } }, undefined, options));
    },
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    read: (uri) => client.readResource({ uri }),
    prompt: (name) => client.getPrompt({ name }),
    complete: (name, argument, value) =>
      client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } }),
    watch: async (uri) => void (await client.subscribeResource({ uri })),
    close: () => client.close(),
  };
}

export async function modernPeer(url: URL, token: string): Promise<Peer> {
  const heard: string[] = [];
  const client = new ModernClient({ name: 'peer', version: '2' }, {
    capabilities,
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  } as never);
  client.setRequestHandler('elicitation/create', ({ params }) => person.elicitation(params));
  client.setRequestHandler('sampling/createMessage', person.sampling);
  client.setRequestHandler('roots/list', person.roots);
  const methods = ['message', 'resources/updated', 'tools/list_changed'] as const;
  for (const method of methods) {
    client.setNotificationHandler(`notifications/${method}`, () => void heard.push(`notifications/${method}`));
  }
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new ModernTransport(url, { requestInit }));
  const _meta = { 'io.modelcontextprotocol/logLevel': 'debug' };
  return {
    heard,
    async call(name, args = {}, { signal, progress } = {}) {
      const options = { ...(signal ? { signal } : {}), ...(progress ? { onprogress: progress } : {}) };
      return calledOf(await client.callTool({ name, arguments: { ...args }, _meta } as never, options));
    },
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    read: (uri) => client.readResource({ uri }),
    prompt: (name) => client.getPrompt({ name }),
    complete: (name, argument, value) =>
      client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } }),
    watch: async (uri) => void (await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })),
    close: () => client.close(),
  };
}
