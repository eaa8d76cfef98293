import { z } from 'zod';
import { serverIdPattern } from './names.ts';
import { parseDuration, parseSize } from './units.ts';

/** The one source of the configuration's grammar: parser, types, `config/gateway.schema.json` and docs come from it. */

const size = z
  .string()
  .meta({ description: 'A size with its unit: 256KiB, 8MiB.', pattern: '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB)$' })
  .transform((text, context) => parseSize(text) ?? complain(context, `"${text}" is not a size: write 256KiB or 8MiB`));

const duration = z
  .string()
  .meta({ description: 'A duration with its unit: 500ms, 30s, 8h.', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$' })
  .transform(
    (text, context) => parseDuration(text) ?? complain(context, `"${text}" is not a duration: write 30s or 8h`),
  );

function complain(context: { addIssue(issue: string): void }, message: string): never {
  context.addIssue(message);
  return z.NEVER;
}

const httpUrl = z.string().refine((text) => /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text), {
  error: (issue) => `"${String(issue.input)}" is not an http(s) URL`,
});
const path = z
  .string()
  .min(1)
  .meta({ description: 'A path; a relative one starts at the folder of the file it stands in.' });
const port = z.int().min(0).max(65_535);
const pointer = z.string().regex(/^(\/[^/]*)+$/, 'a JSON pointer such as /path');

const actions = ['read', 'write', 'delete', 'exec', 'egress', 'admin'] as const;
const risks = ['low', 'medium', 'high', 'critical'] as const;
const tiers = ['internal', 'partner', 'public', 'local', 'quarantined'] as const;
const manifestRules = ['signed', 'signed-or-snapshot', 'snapshot'] as const;

const tool = z.strictObject({
  action: z.enum(actions).meta({ description: 'What the tool does. Set by you, never by the server.' }),
  risk: z.enum(risks).default('low'),
  paths: z.array(pointer).default([]).meta({ description: 'JSON pointers of the arguments that are paths.' }),
});

const limits = z.strictObject({
  answer: size.optional().meta({ description: 'Bytes of answer at most; the tier says the default.' }),
  timeout: duration.prefault('60s').meta({ description: 'The whole call, at most.' }),
  connect: duration.prefault('3s'),
  first_byte: duration.prefault('30s').meta({ description: 'From sending the call to the first byte of its answer.' }),
  idle: duration.prefault('60s').meta({ description: 'Between two chunks of one answer.' }),
  inflight: z.int().min(1).max(10_000).default(64).meta({ description: 'Calls under way at once.' }),
});

const credential = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('static'),
    secret: z.string().min(1).meta({ description: 'The bearer token: ${env:NAME} or ${file:/path}.' }),
  }),
]);

const server = z
  .strictObject({
    tier: z.enum(tiers),
    url: httpUrl.optional().meta({ description: 'The streamable HTTP endpoint.' }),
    command: z.array(z.string().min(1)).min(1).optional().meta({ description: 'The program of a stdio server.' }),
    env: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'All of the environment it gets, plus PATH.' }),
    cwd: path.optional(),
    credential: credential.default({ kind: 'none' }),
    roots: z.record(z.string(), path).default({}).meta({ description: 'Named directories the server works in.' }),
    manifest: z
      .strictObject({
        file: path.optional().meta({ description: 'The signed manifest (sekisho servers sign).' }),
        keys: path.optional().meta({ description: 'JWKS file of who may sign it.' }),
        refresh: duration.prefault('60s').meta({ description: 'How often the live definitions are compared.' }),
      })
      .prefault({}),
    limits: limits.prefault({}),
    tools: z
      .record(z.string(), tool)
      .default({})
      .meta({ description: 'Action and risk by tool name; "*" for the rest.' }),
  })
  .refine((value) => (value.url === undefined) !== (value.command === undefined), 'give either "url" or "command"');

const tier = z.strictObject({ answer: size, manifest: z.enum(manifestRules) });

export const configSchema = z
  .strictObject({
    version: z.literal(1),
    url: httpUrl.default('http://127.0.0.1:7410').meta({ description: 'The public URL: tokens are meant for it.' }),
    listen: z
      .strictObject({
        host: z.string().default('127.0.0.1'),
        port: port.default(7410),
        hosts: z.array(z.string()).default([]).meta({ description: 'Further Host header values that are accepted.' }),
        origins: z.array(z.string()).default([]).meta({ description: 'Origins of browsers that may call.' }),
      })
      .prefault({}),
    admin: z.strictObject({ host: z.string().default('127.0.0.1'), port: port.default(7411) }).prefault({}),
    state: path.default('.sekisho').meta({ description: 'Keys, the control socket and the default store.' }),
    identity: z
      .strictObject({
        development: z.boolean().default(false).meta({ description: 'Loopback only: tokens through the socket.' }),
        signers: z
          .array(z.strictObject({ issuer: z.string().min(1), jwks: path }))
          .default([])
          .meta({ description: 'Who may sign run tokens: issuer and pinned JWKS file.' }),
      })
      .prefault({}),
    tiers: z
      .strictObject({
        local: tier.prefault({ answer: '8MiB', manifest: 'snapshot' }),
        internal: tier.prefault({ answer: '8MiB', manifest: 'signed-or-snapshot' }),
        partner: tier.prefault({ answer: '1MiB', manifest: 'signed' }),
        public: tier.prefault({ answer: '256KiB', manifest: 'snapshot' }),
        quarantined: tier.prefault({ answer: '64KiB', manifest: 'snapshot' }),
      })
      .prefault({}),
    include: z.array(z.string()).default([]).meta({ description: 'Files whose servers are added: servers/*.yaml.' }),
    servers: z
      .record(z.string().regex(serverIdPattern, 'a server id is 1 to 12 of a-z, 0-9 and -'), server)
      .default({}),
    policy: z.strictObject({ path }),
    budgets: z
      .strictObject({
        run: z
          .strictObject({ calls: z.int().min(0).nullable().default(1000), bytes: size.nullable().prefault('256MiB') })
          .prefault({}),
      })
      .prefault({}),
    limits: z
      .strictObject({
        body: size.prefault('4MiB').meta({ description: 'A request body at most.' }),
        depth: z.int().min(4).max(128).default(64).meta({ description: 'JSON nesting at most.' }),
        inflight: z.int().min(1).default(2_000).meta({ description: 'Calls under way in the whole gateway.' }),
        sessions: duration.prefault('8h').meta({ description: 'How long a legacy session may live.' }),
      })
      .prefault({}),
    store: z.strictObject({ kind: z.literal('sqlite'), path: path.optional() }).prefault({ kind: 'sqlite' }),
    audit: z
      .strictObject({ path: path.optional(), on_failure: z.enum(['block', 'continue']).default('block') })
      .prefault({}),
    telemetry: z
      .strictObject({
        traces: z
          .strictObject({ endpoint: httpUrl.optional(), ratio: z.number().min(0).max(1).default(0.1) })
          .prefault({}),
      })
      .prefault({}),
  })
  .meta({ id: 'sekisho-gateway', title: 'Sekisho gateway configuration' });

/** An included file adds servers, and nothing else. */
export const includeSchema = z.strictObject({ servers: configSchema.shape.servers });

export type Config = z.output<typeof configSchema>;
export type ServerConfig = Config['servers'][string];
export type ToolConfig = z.output<typeof tool>;
export type Tier = (typeof tiers)[number];
export type Action = (typeof actions)[number];
export type Risk = (typeof risks)[number];
export type ManifestRule = (typeof manifestRules)[number];
