import type { TestGateway } from './gateway.ts';

/** What came back for one POST: a JSON body, or the messages of an event stream. */
export interface Heard {
  readonly status: number;
  readonly headers: Headers;
  /** All messages, the answer last. */
  readonly messages: readonly Message[];
  /** The answer: the only message that is no notification and no question. */
  readonly answer: Message;
}

export interface Message {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown> & {
    readonly content?: { readonly text?: string }[];
    readonly isError?: boolean;
    readonly structuredContent?: Record<string, unknown>;
  };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

const none: Message = {};

export async function heard(response: Response): Promise<Heard> {
  const text = await response.text();
  const events = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  const messages = events ? framesOf(text) : text === '' ? [] : [parsed(text)];
  const answer = messages.findLast((message) => message.method === undefined) ?? none;
  return { status: response.status, headers: response.headers, messages, answer };
}

export const framesOf = (text: string): Message[] =>
  [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => parsed(data));

function parsed(text: string): Message {
  try {
    return JSON.parse(text) as Message;
  } catch {
    return none;
  }
}

/** The facts of a refused tool call. */
export const refusalIn = (result: unknown): Record<string, unknown> | undefined =>
  (result as { _meta?: Record<string, Record<string, unknown>> } | undefined)?._meta?.['dev.sekisho/refusal'];

/** The reason of a refusal, wherever it stands in the answer. */
export const reasonOf = ({ answer }: Pick<Heard, 'answer'>): unknown =>
  answer.error?.data?.reason ?? refusalIn(answer.result)?.reason ?? null;

export const textOf = ({ answer }: Pick<Heard, 'answer'>): string => answer.result?.content?.[0]?.text ?? '';

/** What a list holds; nothing when it was refused. */
export const itemsOf = ({ answer }: Pick<Heard, 'answer'>, member: string): Readonly<Record<string, unknown>>[] =>
  (answer.result?.[member] ?? []) as Record<string, unknown>[];

/** A legacy session, by hand. */
export interface LegacySession {
  readonly id: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What `initialize` said. */
  readonly agreed: Heard;
  ask(method: string, params?: object, id?: string | number): Promise<Heard>;
  call(name: string, args?: object, id?: string | number): Promise<Heard>;
  /** Something that is not answered: a notification or a reply. */
  tell(message: object): Promise<Response>;
  stream(headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
  end(): Promise<Response>;
}

interface Opening {
  readonly token?: string;
  readonly path?: string;
  readonly revision?: string;
  readonly capabilities?: object;
}

export async function openSession(
  sekisho: TestGateway,
  { token, path = '/mcp', revision = '2025-11-25', capabilities = {} }: Opening = {},
): Promise<LegacySession> {
  const given = token ?? (await sekisho.token());
  const authorization = `Bearer ${given}`;
  const params = { protocolVersion: revision, capabilities, clientInfo: { name: 'hand', version: '1' } };
  const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params };
  const agreed = await heard(await sekisho.post(hello, { authorization }, path));
  const id = agreed.headers.get('mcp-session-id') ?? '';
  const headers = { authorization, 'mcp-session-id': id, 'mcp-protocol-version': revision };
  const ask = async (method: string, params: object = {}, messageId: string | number = 1): Promise<Heard> =>
    heard(await sekisho.post({ jsonrpc: '2.0', id: messageId, method, params }, headers, path));
  const url = new URL(path, sekisho.origin);
  return {
    ...{ id, token: given, headers, agreed, ask },
    call: (name, args = {}, messageId = 1) => ask('tools/call', { name, arguments: args }, messageId),
    tell: (message) => sekisho.post({ jsonrpc: '2.0', ...message }, headers, path),
    stream: (more = {}, signal) =>
      fetch(url, { headers: { ...headers, accept: 'text/event-stream', ...more }, ...(signal ? { signal } : {}) }),
    end: () => fetch(url, { method: 'DELETE', headers }),
  };
}

/** What a self-contained request of 2026-07-28 carries besides its own parameters. */
export const envelope = (capabilities: object = {}, more: object = {}) => ({
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': capabilities,
  'io.modelcontextprotocol/clientInfo': { name: 'hand', version: '1' },
  ...more,
});

/** What says in headers what a self-contained request is about. */
export const modernHeaders = (token: string, method: string, name?: string): Record<string, string> => ({
  ...{ authorization: `Bearer ${token}`, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
  ...(name === undefined ? {} : { 'mcp-name': name }),
});

interface Asking {
  readonly token: string;
  readonly path?: string;
  readonly id?: string | number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly meta?: object;
}

/** A self-contained request, well-formed unless `headers` or `meta` say otherwise. */
export async function askModern(
  sekisho: TestGateway,
  method: string,
  params: Record<string, unknown>,
  { token, path = '/mcp', id = 1, headers = {}, meta = envelope() }: Asking,
): Promise<Heard> {
  const name = params.name ?? params.uri ?? params.taskId;
  const mirrored = modernHeaders(token, method, typeof name === 'string' ? name : undefined);
  const message = { jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } };
  return heard(await sekisho.post(message, { ...mirrored, ...headers }, path));
}
