import { hash } from 'node:crypto';
import { canonical } from '#gateway/core/canonical.ts';
import type { SignedDefinitions } from '#gateway/core/catalogue.ts';
import { flawOf, settled } from '#gateway/core/definition-set.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import type { Jwks } from '#gateway/core/jwk.ts';
import {
  type Definitions,
  definitionDigest,
  definitionKinds,
  definitionName,
  definitionsOf,
  type Manifest,
  type SeenManifest,
} from '#gateway/core/manifest.ts';
import { hasExactly, openEnvelope, parseEnvelope, peekPayload } from './envelope.ts';

export interface ManifestExpectation {
  readonly server: string;
  /** Where the config says that it stands, null for a program; left out by who has no config to compare with. */
  readonly url?: string | null;
  /** Who may sign for this server. */
  readonly jwks: Jwks;
  /** The manifest that was believed last: a lower number is a roll-back, its own number over something else a second truth. */
  readonly seen?: SeenManifest | null;
  /** Epoch milliseconds. */
  readonly now?: number;
}

/** How far ahead of ours the signer's clock may be. */
const skewSeconds = 60;

const sha256 = (text: string): string => hash('sha256', text, 'base64url');

/** Believes a manifest file, whole, or says why not. */
export function verifyManifest(text: string, expected: ManifestExpectation): SignedDefinitions {
  const { jwks, now = Date.now() } = expected;
  const envelope = parseEnvelope(text);
  if ('why' in envelope) return invalid(envelope.why);
  const opened = openEnvelope(envelope, jwks);
  if ('why' in opened) return invalid(opened.why);
  const manifest = parseManifest(opened.payload);
  if (typeof manifest === 'string') return invalid(manifest);
  const unfit = unfitness(manifest, expected, now);
  if (unfit) return invalid(unfit);
  const definitions = parseDefinitions(envelope.definitions);
  if (!definitions) return invalid('"definitions" must hold tools, prompts, templates and instructions');
  const misfit = flawOf(definitions) ?? misfitOf(manifest, definitions);
  return misfit
    ? invalid(misfit)
    : { status: 'verified', manifest, definitions: settled(definitions), key: opened.key };
}

/** Why a manifest that was really signed is still not believed here and now, or null. */
function unfitness(manifest: Manifest, { server, url, seen = null }: ManifestExpectation, now: number): string | null {
  const { seq, iat, exp } = manifest;
  const { id, url: place } = manifest.server;
  if (id !== server) return `it is of server ${JSON.stringify(id)}`;
  if (url !== undefined && !isSamePlace(place, url)) {
    return `it is of a server at ${place ?? 'no URL'}, and the config has ${url ?? 'a program'}`;
  }
  if (iat * 1000 > now + skewSeconds * 1000) return 'it was signed in the future';
  if (exp <= iat) return 'it ends before it begins';
  if (exp * 1000 <= now)
    return `it expired at ${new Date(exp * 1000).toISOString()}: ask its publisher for a newer one`;
  if (seen && seq < seen.seq) return `its number ${seq} is lower than ${seen.seq}, seen before: a roll-back`;
  if (seen && seq === seen.seq && digestOfManifest(manifest) !== seen.digest) {
    return `its number ${seq} was seen before over something else: its publisher signed two truths`;
  }
  return null;
}

function isSamePlace(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return one === other;
  return URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href;
}

export const digestOfManifest = (manifest: Manifest): string => sha256(canonical({ ...manifest } as never));

/** The number and server that a manifest file claims, signature unseen. */
export function peekManifest(text: string): { readonly server: string; readonly seq: number } | null {
  const envelope = parseEnvelope(text);
  const manifest = 'why' in envelope ? '' : parseManifest(peekPayload(envelope));
  return typeof manifest === 'string' ? null : { server: manifest.server.id, seq: manifest.seq };
}

const invalid = (why: string): SignedDefinitions => ({ status: 'invalid', why });

const members = ['v', 'canon', 'server', 'seq', 'iat', 'exp', 'tools', 'prompts', 'templates', 'instructions'];

/** A member that we do not know may be a limit that the signer relies on: it is refused, not ignored. */
function parseManifest(value: JsonValue): Manifest | string {
  if (!isJsonObject(value) || value.v !== 1) return 'its version ("v") is not known here';
  if (value.canon !== 'mcp-def/1') return 'its digest formula ("canon") is not known here';
  if (!hasExactly(value, members)) return `it must hold ${members.join(', ')} and nothing else`;
  const { server, seq, iat, exp, tools, prompts, templates, instructions } = value;
  if (!isPlace(server)) return '"server" must hold "id" and "url" and nothing else';
  if (!isCount(seq) || !isCount(iat) || !isTime(exp)) return '"seq", "iat" and "exp" must be whole numbers';
  if (!isDigests(tools) || !isDigests(prompts) || !isDigests(templates)) return 'its digests have another form';
  if (instructions !== null && typeof instructions !== 'string') return 'its "instructions" must be a digest or null';
  return { v: 1, canon: 'mcp-def/1', server, seq, iat, exp, tools, prompts, templates, instructions };
}

const isCount = (value: JsonValue | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** What a date can say. */
const isTime = (value: JsonValue | undefined): value is number => isCount(value) && value <= 253_402_300_799;

const isPlace = (value: JsonValue | undefined): value is { id: string; url: string | null } =>
  isJsonObject(value ?? null) &&
  hasExactly(value as JsonObject, ['id', 'url']) &&
  typeof (value as JsonObject).id === 'string' &&
  ((value as JsonObject).url === null || typeof (value as JsonObject).url === 'string');

const isDigests = (value: JsonValue | undefined): value is Record<string, { digest: string }> =>
  isJsonObject(value) &&
  Object.values(value).every(
    (one) => isJsonObject(one) && hasExactly(one, ['digest']) && typeof one.digest === 'string',
  );

function parseDefinitions(value: JsonObject): Definitions | null {
  const { tools, prompts, templates, instructions } = value;
  if (!hasExactly(value, ['tools', 'prompts', 'templates', 'instructions'])) return null;
  if (!isObjects(tools) || !isObjects(prompts) || !isObjects(templates)) return null;
  if (instructions !== null && typeof instructions !== 'string') return null;
  return { tools, prompts, templates, instructions };
}

const isObjects = (value: JsonValue | undefined): value is JsonObject[] =>
  Array.isArray(value) && value.every(isJsonObject);

/** Every definition has its digest, and every digest its definition. */
function misfitOf(manifest: Manifest, definitions: Definitions): string | null {
  const signed = { tool: manifest.tools, prompt: manifest.prompts, template: manifest.templates };
  for (const kind of definitionKinds) {
    const list = definitionsOf(definitions, kind);
    for (const definition of list) {
      const name = definitionName(kind, definition);
      const entry = Object.hasOwn(signed[kind], name) ? signed[kind][name] : undefined;
      if (!entry) return `the ${kind} ${JSON.stringify(name)} is not signed`;
      if (entry.digest !== definitionDigest(kind, definition, sha256)) {
        return `the ${kind} ${JSON.stringify(name)} is not what was signed`;
      }
    }
    // Names are unique by now (flawOf), so equal counts leave no digest without a definition.
    if (Object.keys(signed[kind]).length !== list.length) return `a signed ${kind} is missing from "definitions"`;
  }
  const { instructions } = definitions;
  const digest = instructions === null ? null : definitionDigest('instructions', instructions, sha256);
  return digest === manifest.instructions ? null : 'the instructions are not what was signed';
}
