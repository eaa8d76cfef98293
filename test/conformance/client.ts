import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { isModern, modernRevisions } from '#gateway/core/exchange.ts';
import { anOpenServer } from '#test/support/gateway.ts';
import { startGatewayProcess, writeConfig } from '#test/support/gateway-process.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/**
 * The client that the official suite starts, with the URL of its server as the last argument: one on the official SDK 2.x, which
 * reaches that server through a gateway. SEKISHO_CLIENT_ERA has it speak the other era than the server does.
 */

const upstream = process.argv.at(-1) ?? '';
const {
  MCP_CONFORMANCE_CONTEXT: context = '{}',
  MCP_CONFORMANCE_PROTOCOL_VERSION: revision = '2025-11-25',
  SEKISHO_CLIENT_ERA: era = isModern(revision) ? 'modern' : 'legacy',
} = process.env;

async function connect(url: string, token: string): Promise<Client> {
  const options = {
    capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
    versionNegotiation: { mode: era === 'modern' ? { pin: modernRevisions[0] } : 'legacy' },
  } as unknown as ClientOptions;
  const client = new Client({ name: 'conformance', version: '1' }, options);
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept' as const, content: { confirmed: true } }));
  client.setRequestHandler('sampling/createMessage', () => ({
    ...{ role: 'assistant' as const, model: 'm', content: { type: 'text' as const, text: 'said' } },
  }));
  client.setRequestHandler('roots/list', () => ({ roots: [] }));
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

type Schema = {
  readonly properties?: Record<string, { readonly type?: string }>;
  readonly required?: readonly string[];
};

/** Something for each argument that a tool must have: the gateway holds calls to the schemas. */
function argumentsFor(schema: unknown): Record<string, unknown> {
  const { properties = {}, required = [] } = schema as Schema;
  const values: Readonly<Record<string, unknown>> = { string: 'x', number: 1, integer: 1, boolean: true, object: {} };
  return Object.fromEntries(required.map((name) => [name, values[properties[name]?.type ?? ''] ?? null]));
}

/** Does all that a server offers: lists, calls, reads, gets. */
async function useAll(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  const { toolCalls } = JSON.parse(context) as { toolCalls?: { name: string; arguments: Record<string, unknown> }[] };
  const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema;
  const calls = toolCalls ?? tools.map(({ name, inputSchema }) => ({ name, arguments: argumentsFor(inputSchema) }));
  for (const { name, arguments: given } of calls) {
    // Null is no boolean, and would be refused: a client that knows the schema leaves it out.
    const kept = Object.entries(given).filter(([, value]) => value !== null);
    const args = name === 'json_schema_echo' ? { schema } : Object.fromEntries(kept);
    const answer = await client.callTool({ name, arguments: args }).catch(String);
    if (typeof answer === 'string' || answer.isError) process.stderr.write(`${name}: ${JSON.stringify(answer)}\n`);
  }
  for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
}

await using folder = await scratchFolder();
const config = { servers: { up: anOpenServer(upstream, { limits: { timeout: '10s' } }) } };
const sekisho = await startGatewayProcess(await writeConfig(folder.path, config), folder.path);
try {
  const minted = await sekisho.control.mint({});
  if (!('token' in minted)) throw new Error(JSON.stringify(minted));
  const client = await connect(`${sekisho.url}/server/up`, minted.token);
  await useAll(client);
  await client.close();
} finally {
  await sekisho.stop('SIGTERM');
}
