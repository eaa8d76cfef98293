import { z } from 'zod';
import { credential } from './config-credential.ts';
import { proofRules, runRule } from './config-identity.ts';
import { personRule } from './config-people.ts';
import { addressRange, duration, httpUrl, path, pointer, port, size, tiers } from './config-scalars.ts';
import { modernRevisions, upstreamRevisions } from './exchange.ts';
import { serverIdPattern } from './names.ts';

/** The one source of the configuration's grammar: parser, types, `config/gateway.schema.json` and docs come from it. */

const actions = ['read', 'write', 'delete', 'exec', 'egress', 'admin'] as const;
const risks = ['low', 'medium', 'high', 'critical'] as const;
const manifestRules = ['signed', 'signed-or-snapshot', 'snapshot'] as const;

const tool = z.strictObject({
  action: z.enum(actions).meta({ description: 'What the tool does. Set by you, never by the server.' }),
  risk: z.enum(risks).default('low').meta({ description: 'How bad that may be. Set by you, too.' }),
  paths: z.array(pointer).default([]).meta({ description: 'JSON pointers of the arguments that are paths.' }),
  urls: z.array(pointer).default([]).meta({ description: 'The same of URLs, beside those its schema calls so.' }),
  commands: z.array(pointer).default([]).meta({ description: 'The same of command lines, or lists of words.' }),
  branches: z.array(pointer).default([]).meta({ description: 'The same of branches of a repository.' }),
});

const limits = z.strictObject({
  answer: size.optional().meta({ description: 'Bytes of answer at most; the tier says the default.' }),
  timeout: duration.prefault('60s').meta({ description: 'The whole call, at most.' }),
  connect: duration.prefault('3s').meta({ description: 'Until the connection stands.' }),
  first_byte: duration.prefault('30s').meta({ description: 'From sending the call to the first byte of its answer.' }),
  idle: duration.prefault('60s').meta({ description: 'Between two chunks of one answer.' }),
  inflight: z.int().min(1).max(10_000).default(64).meta({ description: 'Calls under way at once.' }),
});

const server = z
  .strictObject({
    tier: z.enum(tiers).meta({ description: 'How far the server is trusted.' }),
    url: httpUrl.optional().meta({ description: 'The streamable HTTP endpoint.' }),
    command: z.array(z.string().min(1)).min(1).optional().meta({ description: 'The program of a stdio server.' }),
    revision: z
      .enum([...modernRevisions, ...upstreamRevisions])
      .optional()
      .meta({ description: 'The MCP revision it is spoken to in. Left out: the server is asked.' }),
    elicitation: z.enum(['park', 'refuse']).optional().meta({
      description: 'Whether a call waits for a 2026-07-28 caller that an older server asks; "refuse" if left out.',
    }),
    env: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'All of the environment it gets, plus PATH.' }),
    cwd: path
      .optional()
      .meta({ description: 'The directory that the program, and a relative path in a call, starts in.' }),
    credential: credential
      .default({ kind: 'none' })
      .meta({ description: "The gateway's own credential at the server; the caller's never goes there." }),
    roots: z.record(z.string(), path).default({}).meta({ description: 'Named directories the server works in.' }),
    manifest: z
      .strictObject({
        file: path.optional().meta({ description: 'The signed manifest (sekisho servers sign).' }),
        keys: path.optional().meta({ description: 'JWKS file of who may sign it.' }),
        refresh: duration.prefault('60s').meta({ description: 'How often the live definitions are compared.' }),
        check: duration.prefault('15s').meta({
          description:
            'Before a tool that does more than read is called: how long ago that may be, or they are compared again.',
        }),
      })
      .prefault({}),
    limits: limits.prefault({}),
    tools: z
      .record(z.string(), tool)
      .default({})
      .meta({ description: 'Action and risk by tool name; "*" for the rest.' }),
  })
  .refine((value) => (value.url === undefined) !== (value.command === undefined), 'give either "url" or "command"')
  .refine(({ command, revision }) => !command || revision === undefined, '"revision" goes with "url"')
  // A program that all callers share has one session, and cannot ask any of them (docs/decisions/0003).
  .refine(({ command, elicitation }) => !command || elicitation !== 'park', '"elicitation: park" goes with "url"');

const tier = (answer: string, manifest: (typeof manifestRules)[number]) =>
  z
    .strictObject({
      answer: size.prefault(answer).meta({ description: 'Bytes of answer at most, where a server says nothing.' }),
      manifest: z.enum(manifestRules).default(manifest).meta({ description: 'What its definitions must show.' }),
    })
    .prefault({});

const layerIdPattern = /^(?!policy$)[a-z0-9-]{1,24}$/;
const layer = z.strictObject({
  path: path.meta({ description: 'The folder of its Rego files.' }),
  groups: z.array(z.string().min(1)).default([]).meta({ description: 'Whose calls: any of these; all when empty.' }),
  servers: z.array(z.string().min(1)).default([]).meta({ description: 'Calls to which servers; all when empty.' }),
});

export const configSchema = z
  .strictObject({
    version: z.literal(1).meta({ description: 'The version of this grammar.' }),
    url: httpUrl.default('http://127.0.0.1:7410').meta({ description: 'The public URL: tokens are meant for it.' }),
    listen: z
      .strictObject({
        host: z.string().default('127.0.0.1').meta({ description: 'The address of /mcp.' }),
        port: port.default(7410).meta({ description: 'The port of /mcp.' }),
        hosts: z.array(z.string()).default([]).meta({ description: 'Further Host header values that are accepted.' }),
        origins: z.array(z.string()).default([]).meta({ description: 'Origins of browsers that may call.' }),
        door: z
          .boolean()
          .default(true)
          .meta({ description: 'Read plain calls with the fast reader; false leaves all to Node’s HTTP server.' }),
      })
      .prefault({}),
    admin: z
      .strictObject({
        host: z.string().default('127.0.0.1').meta({ description: 'The address of health and metrics.' }),
        port: port.default(7411).meta({ description: 'The port of health and metrics.' }),
      })
      .prefault({}),
    state: path.default('.sekisho').meta({ description: 'Keys, the control socket and the default store.' }),
    identity: z
      .strictObject({
        development: z.boolean().default(false).meta({ description: 'Loopback only: tokens through the socket.' }),
        signers: z
          .array(
            z.strictObject({
              issuer: z.string().min(1).meta({ description: 'The "iss" of its tokens, exactly.' }),
              jwks: path.meta({ description: 'The file with its public keys.' }),
            }),
          )
          .default([])
          .meta({ description: 'Who may sign run tokens: issuer and pinned JWKS file.' }),
        people: z
          .array(personRule)
          .default([])
          .meta({ description: 'Who signs in with OAuth: issuers of access tokens.' }),
        runs: z.array(runRule).default([]).meta({ description: 'Trust rules: what is exchanged for a run token.' }),
        keys: path
          .optional()
          .meta({ description: 'Folder of the keys that sign run tokens; in "state" when left out.' }),
        dpop: proofRules,
        rotate: duration
          .prefault('7d')
          .refine((ms) => ms >= 3_600_000, 'must be at least 1h')
          .meta({ description: 'How long one of these keys signs.' }),
      })
      .prefault({}),
    tiers: z
      .strictObject({
        local: tier('8MiB', 'snapshot'),
        internal: tier('8MiB', 'signed-or-snapshot'),
        partner: tier('1MiB', 'signed'),
        public: tier('256KiB', 'snapshot'),
        quarantined: tier('64KiB', 'snapshot'),
      })
      .prefault({}),
    egress: z
      .strictObject({
        private: z
          .array(addressRange)
          .default([])
          .meta({ description: 'Private ranges that the gateway itself may connect to: 10.0.0.0/8, 127.0.0.1.' }),
      })
      .prefault({}),
    include: z.array(z.string()).default([]).meta({ description: 'Files whose servers are added: servers/*.yaml.' }),
    servers: z
      .record(z.string().regex(serverIdPattern, 'a server id is 1 to 12 of a-z, 0-9 and -'), server)
      .default({})
      .meta({ description: 'The MCP servers by id: 1 to 12 of a-z, 0-9 and -.' }),
    policy: z
      .strictObject({
        path: path.meta({ description: 'The folder of the Rego files.' }),
        layers: z
          .record(z.string().regex(layerIdPattern, 'a layer id is 1 to 24 of a-z, 0-9 and -, and not "policy"'), layer)
          .default({})
          .meta({ description: 'Policies beside it, by id: none can lift what another denies.' }),
        shadow: path.optional().meta({ description: 'A candidate: asked about every call beside it, never obeyed.' }),
        log: z
          .strictObject({
            path: path.meta({ description: 'The file of the decision log (JSON lines, OPA’s names).' }),
            arguments: z
              .enum(['erase', 'keep'])
              .default('erase')
              .meta({ description: 'Whether the arguments of calls stand in it.' }),
          })
          .optional()
          .meta({ description: 'Every question and answer of the policy, for replay; off when left out.' }),
      })
      // The candidate would be compared without the layers, and differ from what is in force by all that they say.
      .refine(({ layers, shadow }) => shadow === undefined || Object.keys(layers).length === 0, {
        message: '"shadow" and "layers" do not go together yet',
        path: ['shadow'],
      }),
    budgets: z
      .strictObject({
        run: z
          .strictObject({
            calls: z.int().min(0).nullable().default(1000).meta({ description: 'Calls of one run; null: no limit.' }),
            bytes: size
              .nullable()
              .prefault('256MiB')
              .meta({ description: 'Bytes of answers of one run; null: no limit.' }),
          })
          .prefault({}),
      })
      .prefault({}),
    limits: z
      .strictObject({
        body: size.prefault('4MiB').meta({ description: 'A request body at most.' }),
        depth: z.int().min(4).max(128).default(64).meta({ description: 'JSON nesting at most.' }),
        inflight: z.int().min(1).default(2_000).meta({ description: 'Calls under way in the whole gateway.' }),
        sessions: duration.prefault('8h').meta({ description: 'How long a legacy session may live.' }),
        session_idle: duration
          .prefault('2h')
          .meta({ description: 'How long it may be silent, with nothing under way.' }),
      })
      .prefault({}),
    store: z
      .strictObject({
        kind: z.literal('sqlite').meta({ description: 'Where approvals, budgets and pins are kept.' }),
        path: path.optional().meta({ description: 'The database; in "state" when left out.' }),
      })
      .prefault({ kind: 'sqlite' }),
    audit: z
      .strictObject({
        path: path.optional().meta({ description: 'The folder of the audit log; in "state" when left out.' }),
        on_failure: z
          .enum(['block', 'continue'])
          .default('block')
          .meta({ description: 'Whether calls go on when nothing can be recorded.' }),
      })
      .prefault({}),
    telemetry: z
      .strictObject({
        traces: z
          .strictObject({
            endpoint: httpUrl.optional().meta({ description: 'The OTLP collector; without one nothing is sent.' }),
            ratio: z.number().min(0).max(1).default(0.1).meta({ description: 'The share of calls that are traced.' }),
          })
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
