import type { Action, ManifestRule, Risk, ServerConfig, Tier } from './config.ts';
import type { Roots } from './facts.ts';
import type { HeaderMirror } from './header-mirrors.ts';
import type { JsonObject } from './json.ts';
import type { Judge } from './judge.ts';
import type { ListMemory } from './list-memory.ts';
import type { DefinitionKind, Definitions, Drift, Sha256 } from './manifest.ts';
import type { HexDigest } from './names.ts';
import type { Finding } from './poison/finding.ts';
import type { Quarantine } from './quarantine.ts';
import type { Refusal } from './refusals.ts';
import type { Contract } from './schema/contract.ts';

/** What the policy engine is to the gateway: one synchronous question. It throws when it has no answer. */
export interface Policy {
  readonly revision: string;
  /** Where it is made of several: the revision of each, by name. */
  readonly revisions?: Readonly<Record<string, string>>;
  /** The dotted paths below the input that its rules refer to; absent when nobody knows. */
  readonly looksAt?: readonly string[];
  judge(input: object): unknown;
}

/** The merged limits of one server; bytes and milliseconds. */
export interface Limits {
  readonly answer: number;
  readonly timeout: number;
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly inflight: number;
}

/** How the approved definitions came to be believed. */
export interface Trust {
  readonly status: 'verified' | 'unsigned' | 'invalid' | 'none';
  /** `kid` of the key that signed the manifest. */
  readonly key: string | null;
  /** A sentence for people: why it is invalid, where the snapshot came from. */
  readonly note: string;
}

/** One server's approved definitions and what is known of its live ones. Made by the catalogue, replaced whole. */
export interface Catalogue {
  readonly approved: Definitions;
  readonly trust: Trust;
  /** A person stands for these definitions: they approved them, or signed them with a key that the config names. */
  readonly reviewed: boolean;
  /** What differs live; null while the server could not be asked. */
  readonly drift: readonly Drift[] | null;
  /** It lists otherwise to callers than to the gateway: what was approved is not what a call would meet. */
  readonly cloaked: boolean;
  /** Live resources: data, not definitions, so nobody signs them. */
  readonly resources: readonly JsonObject[];
  readonly capabilities: JsonObject;
}

export interface ServerEntry {
  readonly id: string;
  readonly tier: Tier;
  readonly transport: 'http' | 'stdio';
  readonly limits: Limits;
  readonly roots: Roots;
  /** The directory that a relative path argument starts from. */
  readonly base: string;
  readonly trust: Trust;
  readonly capabilities: JsonObject;
  readonly instructions: string | null;
  /** False while nobody knows what it serves: it could not be asked since the gateway started. */
  readonly known: boolean;
  /** Set when nothing of this server may be called at all. */
  readonly closed: Refusal | null;
}

/** What a call is aimed at: an approved tool, prompt, template, or a resource. */
export interface Target {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'template';
  readonly server: ServerEntry;
  /** As the upstream knows it: tool or prompt name, URI or URI template. */
  readonly name: string;
  readonly exposed: string;
  /** As the agent reads it: the approved definition under its exposed name. */
  readonly listed: JsonObject;
  readonly digest: string;
  readonly action: Action | null;
  readonly risk: Risk | null;
  /** Pointers of the arguments that are paths, URLs, commands and branches. */
  readonly paths: readonly string[];
  readonly urls: readonly string[];
  readonly commands: readonly string[];
  readonly branches: readonly string[];
  /** Arguments that headers mirror on the way to a modern server. */
  readonly mirrors: readonly HeaderMirror[];
  readonly hasOutputSchema: boolean;
  /** What its approved schemas ask of arguments and results. */
  readonly contract: Contract;
  /**
   * Of a page of an App, the tools that show it: it may be read where one of them may be seen. Null for all else, and no page
   * is without a tool.
   */
  readonly shownBy: readonly Target[] | null;
  /** Set while the definition may not be used: it changed, or should be signed and is not. */
  readonly closed: Refusal | null;
}

/** A choice of servers under one URL. */
export interface View {
  readonly name: string;
  readonly servers: readonly ServerEntry[];
  readonly tools: ReadonlyMap<string, Target>;
  readonly prompts: ReadonlyMap<string, Target>;
  readonly resources: ReadonlyMap<string, Target>;
  readonly templates: readonly Target[];
  /** Of one server, by URI, whether it lists them or not. */
  readonly pages: ReadonlyMap<string, Target>;
}

/** Config, policy and manifests as one immutable object. A call finishes on the one it began with. */
export interface Snapshot {
  readonly revision: string;
  readonly policy: Policy;
  readonly judge: Judge;
  readonly lists: ListMemory;
  readonly all: View;
  readonly byServer: ReadonlyMap<string, View>;
  /** Names that two tools of one server would share after shortening; neither is served. */
  readonly collisions: readonly string[];
}

export interface Digests {
  readonly sha256: Sha256;
  readonly hex: HexDigest;
}

/** What the snapshot needs to know of one server. */
export interface ServerFacts {
  readonly id: string;
  readonly config: ServerConfig;
  readonly roots: Roots;
  readonly base: string;
  readonly tier: { readonly answer: number; readonly manifest: ManifestRule };
  readonly catalogue: Catalogue | null;
  /** What of it an operator took out of use. */
  readonly quarantined: readonly Quarantine[];
  /** Signs of poisoning in the approved definitions; null while nobody has looked yet. */
  readonly findings: readonly Finding[] | null;
  /** The contract of one of its approved tools. */
  readonly contractOf: (tool: JsonObject) => Contract;
  readonly digestOf: (kind: DefinitionKind, definition: JsonObject) => string;
}
