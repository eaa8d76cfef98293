import { z } from 'zod';
import type { Approval } from '#gateway/core/approval.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { type Definitions, driftStates } from '#gateway/core/manifest.ts';
import { poisonKinds } from '#gateway/core/poison/kinds.ts';

/** What the control socket answers when the answer is no; the CLI makes its exit codes from it. */
export interface ControlRefusal {
  readonly refused: 'unknown' | 'conflict' | 'not_permitted' | 'unreachable' | 'invalid' | 'not_running' | 'fault';
  /** What exactly, and how to go on. */
  readonly detail: string;
}

export type Answered<T> = T | ControlRefusal | Promise<T | ControlRefusal>;

/** What a running gateway lets its operator do. The composition root implements it; the socket carries it. */
export interface ControlApi {
  status(): Answered<GatewayStatus>;
  mint(request: MintRequest): Answered<Minted>;
  /** What would become of this tool call. Nothing is written or sent. */
  decide(order: DecideOrder): Answered<Decided>;
  readonly approvals: {
    list(state: Approval['state'] | null): Answered<readonly Approval[]>;
    show(id: string): Answered<Approval>;
    decide(id: string, verdict: Verdict): Answered<Approval>;
  };
  readonly policy: {
    /** Looks at the policy folder again, now. */
    reload(): Answered<PolicyReloaded>;
    /** What the candidate would have said otherwise. */
    shadow(): Answered<ShadowReport>;
  };
  readonly runs: {
    revoke(order: RevokeOrder): Answered<Revoked>;
    /** All that is revoked and in force. */
    revoked(): Answered<readonly Revoked[]>;
  };
  readonly servers: {
    list(): Answered<readonly ServerStatus[]>;
    tools(id: string): Answered<readonly ServerTool[]>;
    diff(id: string): Answered<ServerDiff>;
    /** What the server serves now, as it sent it, and where it stands: what a manifest is signed over. */
    definitions(id: string): Answered<Signable>;
    /** Approves what the server serves now, if that is still what the reviewer saw. */
    pin(id: string, order: PinOrder): Answered<ServerStatus>;
    /** Takes the server, or one tool of it, out of use; here at once, at other processes within a second. */
    quarantine(id: string, order: QuarantineOrder): Answered<ServerStatus>;
    release(id: string, order: ReleaseOrder): Answered<ServerStatus>;
    /** Asks the server again, now. */
    refresh(id: string): Answered<ServerStatus>;
  };
}

const person = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N}._@+\\-]{0,63}$/u, 'is not the name of a user');
const word = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 visible ASCII characters');
const words = z.array(word).max(100);

export const mintRequest = z.strictObject({
  /** On whose behalf; the run itself when left out. */
  subject: word.optional(),
  run: z
    .string()
    .regex(/^[A-Za-z0-9._:@/-]{1,256}$/, 'is not a run id')
    .optional(),
  agent: word.optional(),
  groups: words.optional(),
  /** Seconds. */
  ttl: z.int().min(1).max(900).optional(),
  tools: words.optional(),
  tiers: words.optional(),
  calls: z.int().min(0).optional(),
});
export type MintRequest = z.output<typeof mintRequest>;

export const decideOrder = z.strictObject({
  /** As hosts see it. */
  tool: word,
  arguments: z.record(z.string(), z.json()),
  /** Who would call; in development mode a token is made for the question when there is none. */
  token: z.string().max(8192).optional(),
  groups: words.optional(),
});
export type DecideOrder = z.output<typeof decideOrder>;

export const decided = z.object({
  verdict: z.enum(['allow', 'ask', 'deny']),
  /** The reason of the refusal, as the record would have it; null when it would pass. */
  reason: z.string().nullable(),
  detail: z.string(),
  codes: z.array(z.string()),
  policy: z.string(),
});
export type Decided = Readonly<z.output<typeof decided>>;

const flaw = z.object({ file: z.string(), row: z.number(), col: z.number(), code: z.string(), message: z.string() });
const said = z.object({ verdict: z.enum(['allow', 'ask', 'deny', 'unusable']), codes: z.array(z.string()) });

export const shadowReport = z.object({
  /** Where the candidate stands: the files that are named are below it. */
  folder: z.string(),
  /** Of the candidate; null while it cannot be asked. */
  revision: z.string().nullable(),
  broken: z.array(flaw).nullable(),
  same: z.number(),
  changed: z.number(),
  dropped: z.number(),
  groups: z.array(
    z.object({
      target: z.string(),
      principal: z.string(),
      before: said,
      after: said,
      count: z.number(),
      ids: z.array(z.string()),
    }),
  ),
  overflow: z.number(),
});
export type ShadowReport = Readonly<z.output<typeof shadowReport>>;

export const policyReloaded = z.object({
  /** Where the policies stand: the files that are named are below it. */
  folder: z.string(),
  /** Of the policy in force. */
  revision: z.string(),
  /** Why what stands in the folder is not in force; null when it is. */
  broken: z
    .object({
      since: z.number(),
      errors: z.array(flaw),
    })
    .nullable(),
});
export type PolicyReloaded = Readonly<z.output<typeof policyReloaded>>;

export const verdict = z.strictObject({
  state: z.enum(['approved', 'declined']),
  by: person,
  why: z.string().min(1).max(1000).nullable(),
});
export type Verdict = z.output<typeof verdict>;

export const pinOrder = z.strictObject({ expected: z.string().min(1).max(200), by: person });
export type PinOrder = z.output<typeof pinOrder>;

/** As the server knows it. */
const tool = z.string().min(1).max(128).optional();
export const quarantineOrder = z.strictObject({ tool, by: person, why: z.string().min(1).max(1000).nullable() });
export type QuarantineOrder = z.output<typeof quarantineOrder>;
export const releaseOrder = z.strictObject({ tool, by: person });
export type ReleaseOrder = z.output<typeof releaseOrder>;

export const approvalStates = ['pending', 'approved', 'declined', 'consumed', 'expired'] as const;
export const approvalQuery = z.strictObject({ state: z.enum(approvalStates).optional() });

export const revokeOrder = z.strictObject({
  kind: z.enum(['run', 'issuer', 'rule', 'key']),
  subject: z.string().min(1).max(512),
  by: person,
});
export type RevokeOrder = z.output<typeof revokeOrder>;

const time = z.number();

export const revoked = z.object({
  kind: z.enum(['run', 'token', 'issuer', 'rule', 'key']),
  subject: z.string(),
  at: time,
  by: z.string(),
});
/** `at` in epoch milliseconds. */
export type Revoked = Readonly<z.output<typeof revoked>>;

export const minted = z.object({ token: z.string(), run: z.string(), expires: time });
/** `expires` in epoch milliseconds. */
export type Minted = Readonly<z.output<typeof minted>>;

export const serverStatus = z.object({
  id: z.string(),
  tier: z.string(),
  transport: z.enum(['http', 'stdio']),
  up: z.boolean(),
  tools: z.number(),
  trust: z.enum(['verified', 'unsigned', 'invalid', 'none']),
  /** A sentence for people: why it is down, what changed, who signed. Empty when there is nothing to say. */
  note: z.string(),
});
export type ServerStatus = Readonly<z.output<typeof serverStatus>>;

export const gatewayStatus = z.object({
  /** The MCP endpoint: where hosts point. */
  url: z.string(),
  revision: z.string(),
  policy: z.object({ revision: z.string() }),
  servers: z.array(serverStatus),
});
export type GatewayStatus = Readonly<z.output<typeof gatewayStatus>>;

export const serverTool = z.object({
  /** As the server knows it, and as hosts see it. */
  name: z.string(),
  exposed: z.string(),
  action: z.string().nullable(),
  risk: z.string().nullable(),
  digest: z.string(),
  /** Why it may not be used; null when it may. */
  closed: z.string().nullable(),
});
export type ServerTool = Readonly<z.output<typeof serverTool>>;

export const serverDiff = z.object({
  server: z.string(),
  /** Stands for what the server serves now: name it to approve exactly that. */
  digest: z.string(),
  drift: z.array(
    z.object({
      kind: z.enum(['tool', 'prompt', 'template', 'instructions']),
      name: z.string(),
      state: z.enum(driftStates),
      /** Of what was renamed, the name it was approved under. */
      from: z.string().optional(),
      /** Of what came back: whether it is what was approved under that name last. */
      as: z.enum(['before', 'other']).optional(),
      fields: z.array(z.string()),
      /** The definition as approved and as served; null where there is none. */
      approved: z.json(),
      live: z.json(),
    }),
  ),
  /** Signs of poisoning in what the server serves now. */
  findings: z.array(
    z.object({
      kind: z.enum(poisonKinds),
      on: z.enum(['tool', 'prompt', 'template', 'instructions']),
      name: z.string(),
      pointer: z.string(),
      why: z.string(),
      /** Raw: whoever prints it makes what is invisible visible. */
      shown: z.string(),
    }),
  ),
  /** Whether agents are kept from what was found until a person approves it. */
  held: z.boolean(),
  /** What an operator took out of use; of a null tool, the whole server. */
  quarantined: z.array(z.object({ tool: z.string().nullable(), at: time, by: z.string(), why: z.string().nullable() })),
});
export type ServerFinding = ServerDiff['findings'][number];
export type ServerDiff = Readonly<z.output<typeof serverDiff>>;

// Kept by reference, never rebuilt: digests are made from what came.
const definition = z.custom<JsonObject>(isJsonObject);

const definitionSet: z.ZodType<Definitions> = z.object({
  tools: z.array(definition),
  prompts: z.array(definition),
  templates: z.array(definition),
  instructions: z.string().nullable(),
});

export const signable = z.object({ url: z.string().nullable(), definitions: definitionSet });
export type Signable = Readonly<z.output<typeof signable>>;

export const approval: z.ZodType<Approval> = z.object({
  id: z.string(),
  state: z.enum(approvalStates),
  call: z.string(),
  binding: z.object({
    principal: z.string(),
    run: z.string(),
    server: z.string(),
    tool: z.string(),
    toolDigest: z.string(),
    argumentsDigest: z.string(),
    policyRevision: z.string(),
    inputDigest: z.string().exactOptional(),
  }),
  arguments: definition,
  responses: definition.nullable(),
  codes: z.array(z.string()),
  messages: z.array(z.string()),
  groups: z.array(z.string()),
  notRequester: z.boolean(),
  asked: time,
  expires: time,
  decidedBy: z.string().nullable(),
  why: z.string().nullable(),
});

export const isControlRefusal = (value: unknown): value is ControlRefusal =>
  typeof value === 'object' && value !== null && 'refused' in value && 'detail' in value;

export const controlRefusal = (refused: ControlRefusal['refused'], detail: string): ControlRefusal => ({
  refused,
  detail,
});
