import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What an everything-upstream serves, in words that both official SDKs can be made to speak: the names and texts that the
 * conformance scenarios expect, and some more for our own tests.
 */

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';
export const text = (value: string) => ({ type: 'text' as const, text: value });
const image = { type: 'image' as const, data: png, mimeType: 'image/png' };
const embedded = (uri: string, mimeType: string, value: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: value },
});
export const object = (properties: object = {}, required: string[] = []) => ({
  type: 'object' as const,
  properties,
  required,
});

const defaults = object({
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
});
const options = ['option1', 'option2', 'option3'];
const titled = (titles: string[]) => titles.map((title, i) => ({ const: `value${i + 1}`, title }));
const enums = object({
  untitledSingle: { type: 'string', enum: options },
  titledSingle: { type: 'string', oneOf: titled(['First Option', 'Second Option', 'Third Option']) },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
  titledMulti: { type: 'array', items: { anyOf: titled(['First Choice', 'Second Choice', 'Third Choice']) } },
});
const user = object(
  {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  ['username', 'email'],
);

/** What a tool may use besides its arguments. */
export interface Around {
  readonly token: string | number | undefined;
  /** Fires when the call is cancelled. */
  readonly signal: AbortSignal;
  /** What of the HTTP request and the envelope arrived. */
  readonly arrived: { readonly headers: unknown; readonly meta: unknown };
  notify(notification: { method: string; params: object }): Promise<void>;
  ask(method: string, params: object): Promise<Record<string, unknown>>;
  /** Several questions at once, by a key each. Asked again until the answers suit, where the era allows it. */
  askAll(asks: Asks, suits?: (answers: Answers) => boolean): Promise<Answers>;
  /** The capabilities that this caller declared. */
  readonly declared: Record<string, unknown>;
  /** Closes the stream of the answer, which is then to be had by coming back (SEP-1699). */
  closeStream?: () => void;
}
export type Asks = Record<string, { readonly method: string; readonly params?: object }>;
export type Answers = Record<string, Record<string, unknown>>;
export type Answer = { content: object[]; isError?: boolean; structuredContent?: unknown };
export interface Tool {
  readonly description: string;
  readonly inputSchema: object;
  readonly _meta?: object;
  /** Of any root: only a server of 2026-07-28 may list one that is no object. */
  readonly outputSchema?: object;
  run(args: Record<string, unknown>, around: Around): Answer | Promise<Answer>;
}

const asks =
  (requestedSchema: object, message: string, says: (answer: Record<string, unknown>) => string): Tool['run'] =>
  async (args, { ask }) => {
    const said = typeof args.message === 'string' ? args.message : message;
    const answer = await ask('elicitation/create', { message: said, requestedSchema });
    return { content: [text(says(answer))] };
  };
const completed = (answer: Record<string, unknown>) =>
  `Elicitation completed: action=${String(answer.action)}, content=${JSON.stringify(answer.content ?? {})}`;

export const tools: Record<string, Tool> = {
  test_simple_text: {
    description: 'Answers with a text.',
    inputSchema: object(),
    run: () => ({ content: [text('This is a simple text response for testing.')] }),
  },
  test_image_content: {
    description: 'Answers with an image.',
    inputSchema: object(),
    run: () => ({ content: [image] }),
  },
  test_audio_content: {
    description: 'Answers with a sound.',
    inputSchema: object(),
    run: () => ({ content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }] }),
  },
  test_embedded_resource: {
    description: 'Answers with an embedded resource.',
    inputSchema: object(),
    run: () => ({
      content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
    }),
  },
  test_multiple_content_types: {
    description: 'Answers with several kinds of content.',
    inputSchema: object(),
    run: () => ({
      content: [
        text('Multiple content types test:'),
        image,
        embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
      ],
    }),
  },
  test_tool_with_logging: {
    description: 'Logs while it runs.',
    inputSchema: object(),
    async run(_args, { notify }) {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await notify({ method: 'notifications/message', params: { level: 'info', data } });
        await sleep(50);
      }
      return { content: [text('Done logging.')] };
    },
  },
  test_tool_with_progress: {
    description: 'Tells its progress.',
    inputSchema: object(),
    async run(_args, { notify, token }) {
      for (const progress of [0, 50, 100]) {
        const params = { progressToken: token, progress, total: 100 };
        if (token !== undefined) await notify({ method: 'notifications/progress', params });
        await sleep(50);
      }
      return { content: [text('Done.')] };
    },
  },
  test_error_handling: {
    description: 'Always fails.',
    inputSchema: object(),
    run: () => ({ content: [text('This tool intentionally returns an error for testing')], isError: true }),
  },
  test_sampling: {
    description: 'Asks the model of the client.',
    inputSchema: object({ prompt: { type: 'string' } }, ['prompt']),
    async run({ prompt }, { ask }) {
      const messages = [{ role: 'user', content: text(String(prompt)) }];
      const answer = await ask('sampling/createMessage', { messages, maxTokens: 100 });
      const content = answer.content as { text?: string } | undefined;
      return { content: [text(`LLM response: ${content?.text ?? ''}`)] };
    },
  },
  test_elicitation: {
    description: 'Asks the person in front of the client.',
    inputSchema: object({ message: { type: 'string' } }, ['message']),
    run: asks(
      user,
      '',
      (a) => `User response: action: ${String(a.action)}, content: ${JSON.stringify(a.content ?? {})}`,
    ),
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks with defaults.',
    inputSchema: object(),
    run: asks(defaults, 'Please review.', completed),
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks with choices.',
    inputSchema: object(),
    run: asks(enums, 'Please choose.', completed),
  },
  json_schema_2020_12_tool: {
    description: 'Tool with JSON Schema 2020-12 features',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    run: (args) => ({ content: [text(JSON.stringify(args))] }),
  },
  test_app: {
    description: 'Tells the time, and has a page that shows it.',
    inputSchema: object(),
    _meta: { ui: { resourceUri: 'ui://everything/clock.html', visibility: ['model', 'app'] }, 'example.com/kept': 1 },
    run: () => ({ content: [text('noon')] }),
  },
  test_reconnection: {
    description: 'Closes the stream of its answer, which is there for who comes back.',
    inputSchema: object(),
    async run(_args, { closeStream }) {
      closeStream?.();
      await sleep(100);
      return { content: [text('Reconnection test completed successfully.')] };
    },
  },
  wait: {
    description: 'Waits for some milliseconds, or until it is cancelled.',
    inputSchema: object({ ms: { type: 'number' } }),
    async run({ ms }) {
      await sleep(Number(ms ?? 1000));
      return { content: [text('waited')] };
    },
  },
  echo: {
    description: 'Says what it was told.',
    inputSchema: object({ message: { type: 'string' } }),
    run: ({ message }) => ({ content: [text(String(message))] }),
  },
  big: {
    description: 'Answers with a text of so many bytes.',
    inputSchema: object({ bytes: { type: 'number' } }),
    run: ({ bytes }) => ({ content: [text('x'.repeat(Number(bytes ?? 0)))] }),
  },
};

const page = 'text/html;profile=mcp-app';

export const resources = [
  { uri: 'test://static-text', name: 'static-text', description: 'A text.', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', description: 'A picture.', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched', description: 'Changes.', mimeType: 'text/plain' },
  ...['clock', 'orphan'].map((name) => ({
    uri: `ui://everything/${name}.html`,
    name,
    description: 'A page.',
    mimeType: page,
  })),
];

export function readResource(uri: string): object {
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: png };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id !== undefined) {
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return { uri, mimeType: 'application/json', text: JSON.stringify(data) };
  }
  if (uri.startsWith('ui:')) return { uri, mimeType: page, text: `<html>${uri}</html>` };
  return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
}

export const prompts = [
  { name: 'test_simple_prompt', description: 'A prompt.' },
  {
    name: 'test_prompt_with_arguments',
    description: 'A prompt with arguments.',
    arguments: [
      { name: 'arg1', description: 'First test argument', required: true },
      { name: 'arg2', description: 'Second test argument', required: true },
    ],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'A prompt with a resource.',
    arguments: [{ name: 'resourceUri', description: 'URI of the resource to embed', required: true }],
  },
  { name: 'test_prompt_with_image', description: 'A prompt with an image.' },
];

export function prompt(name: string, args: Record<string, string>): object[] {
  const says = (value: string) => ({ role: 'user', content: text(value) });
  const uri = args.resourceUri ?? '';
  if (name === 'test_prompt_with_arguments') {
    return [says(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`)];
  }
  if (name === 'test_prompt_with_embedded_resource') {
    const content = embedded(uri, 'text/plain', 'Embedded resource content for testing.');
    return [{ role: 'user', content }, says('Please process the embedded resource above.')];
  }
  if (name === 'test_prompt_with_image')
    return [{ role: 'user', content: image }, says('Please analyze the image above.')];
  return [says('This is a simple prompt for testing.')];
}
