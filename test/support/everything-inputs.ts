import { type Answers, type Around, type Asks, object, type Tool, text } from './everything-content.ts';

/** The tools of 2026-07-28: what is asked in the middle of a call, header mirrors, and what the scenarios diagnose with. */

const form = (message: string, properties: object) => ({
  method: 'elicitation/create',
  params: { message, requestedSchema: object(properties, Object.keys(properties)) },
});
const model = (prompt: string) => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 },
});
const roots = { method: 'roots/list' };

const said = (value: string) => ({ content: [text(value)] });
const contentOf = (answers: Answers, key: string): Record<string, unknown> =>
  (answers[key]?.content ?? {}) as Record<string, unknown>;
const named = (answers: Answers): boolean => typeof contentOf(answers, 'user_name').name === 'string';

const asks =
  (
    questions: Asks,
    says: (answers: Answers) => string,
    suits: (answers: Answers) => boolean = () => true,
  ): Tool['run'] =>
  async (_args, { askAll }) =>
    said(says(await askAll(questions, suits)));

const tool = (description: string, run: Tool['run'], properties: object = {}): Tool => ({
  description,
  inputSchema: object(properties),
  run,
});

const userName = form('What is your name?', { name: { type: 'string' } });
const confirm = form('Please confirm', { ok: { type: 'boolean' } });

async function rounds({ askAll }: Around) {
  const first = await askAll({ step1: form('Step 1: What is your name?', { name: { type: 'string' } }) });
  const second = await askAll({ step2: form('Step 2: What is your favorite color?', { color: { type: 'string' } }) });
  return said(`${String(contentOf(first, 'step1').name)} likes ${String(contentOf(second, 'step2').color)}`);
}

async function declaredOnly({ askAll, declared }: Around) {
  const all: Record<string, Asks> = {
    elicitation: { user_name: userName },
    sampling: { greeting: model('Generate a short greeting') },
    roots: { client_roots: roots },
  };
  const questions = Object.keys(all)
    .filter((name) => declared[name] !== undefined)
    .map((name) => all[name]);
  const asked = Object.assign({}, ...questions) as Asks;
  if (Object.keys(asked).length > 0) await askAll(asked);
  return said('asked for what was declared');
}

export const inputTools: Record<string, Tool> = {
  test_input_required_result_elicitation: tool(
    'Asks for a name.',
    asks({ user_name: userName }, (a) => `Hello, ${String(contentOf(a, 'user_name').name)}!`, named),
  ),
  test_input_required_result_sampling: tool(
    'Asks the model of the client.',
    asks({ capital_question: model('What is the capital of France?') }, (a) =>
      String(contentOf(a, 'capital_question').text),
    ),
  ),
  test_input_required_result_list_roots: tool(
    'Asks for the roots.',
    asks({ client_roots: roots }, (a) => JSON.stringify(a.client_roots?.roots)),
  ),
  test_input_required_result_request_state: tool(
    'Goes on with its state.',
    asks({ confirm }, () => 'state-ok'),
  ),
  test_input_required_result_tampered_state: tool(
    'Refuses a state that is not its own.',
    asks({ confirm }, () => 'integrity-ok'),
  ),
  test_input_required_result_multiple_inputs: tool(
    'Asks three questions at once.',
    asks({ user_name: userName, greeting: model('Generate a greeting'), client_roots: roots }, (a) =>
      [contentOf(a, 'user_name').name, contentOf(a, 'greeting').text, JSON.stringify(a.client_roots?.roots)].join(
        ' | ',
      ),
    ),
  ),
  test_input_required_result_multi_round: tool('Asks twice.', (_args, around) => rounds(around)),
  test_input_required_result_capabilities: tool('Asks only what was declared.', (_args, around) =>
    declaredOnly(around),
  ),
  test_missing_capability: tool(
    'Needs sampling.',
    asks({ llm_answer: model('Reply with the single word: pong') }, () => 'sampled'),
  ),
  test_streaming_elicitation: tool('Answers without a question on its stream.', () => said('no questions')),
  test_logging_tool: tool('Logs once.', async (_args, { notify }) => {
    await notify({ method: 'notifications/message', params: { level: 'info', data: 'test_logging_tool ran' } });
    return said('logged');
  }),
  test_url_elicitation: tool('Sends the person to a page.', async (_args, { askAll }) => {
    const page = { mode: 'url', message: 'Sign in there.', url: 'https://example.com/sign-in' };
    const { page: answer } = await askAll({ page: { method: 'elicitation/create', params: page } });
    return said(`went: ${String(answer?.action)}`);
  }),
  test_x_mcp_header: tool(
    'Has arguments that headers mirror.',
    ({ region, level }) => said(`region=${String(region)} level=${String(level)}`),
    {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      level: { type: 'integer', 'x-mcp-header': 'Level' },
      note: { type: 'string' },
    },
  ),
};
