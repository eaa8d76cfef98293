import { hash } from 'node:crypto';
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
} from '#gateway/core/manifest.ts';
import { hasExactly, openEnvelope, parseEnvelope, peekPayload } from './envelope.ts';

export interface ManifestExpectation {
  readonly server: string;
  /** Who may sign for this server. */
  readonly jwks: Jwks;
  /** The highest number seen so far: a lower one is a roll-back. */
  readonly minSeq?: number;
  /** Epoch milliseconds. */
  readonly now?: number;
}

/** How far ahead of ours the signer's clock may be. */
const skewSeconds = 60;

const sha256 = (text: string): string => hash('sha256', text, 'base64url');

/** Believes a manifest file, whole, or says why not. */
export function verifyManifest(text: string, expected: ManifestExpectation): SignedDefinitions {
  const { server, jwks, minSeq = 0, now = Date.now() } = expected;
  const envelope = parseEnvelope(text);
  if ('why' in envelope) return invalid(envelope.why);
  const opened = openEnvelope(envelope, jwks);
  if ('why' in opened) return invalid(opened.why);
  const manifest = parseManifest(opened.payload);
  if (typeof manifest === 'string') return invalid(manifest);
  if (manifest.server.id !== server) return invalid(`it is of server ${JSON.stringify(manifest.server.id)}`);
  if (manifest.seq < minSeq)
    return invalid(`its number ${manifest.seq} is lower than ${minSeq}, seen before: a roll-back`);
  if (manifest.iat * 1000 > now + skewSeconds * 1000) return invalid('it was signed in the future');
  const definitions = parseDefinitions(envelope.definitions);
  if (!definitions) return invalid('"definitions" must hold tools, prompts, templates and instructions');
  const misfit = flawOf(definitions) ?? misfitOf(manifest, definitions);
  return misfit
    ? invalid(misfit)
    : { status: 'verified', manifest, definitions: settled(definitions), key: opened.key };
}

/** The number and server that a manifest file claims, signature unseen. */
export function peekManifest(text: string): { readonly server: string; readonly seq: number } | null {
  const envelope = parseEnvelope(text);
  const manifest = 'why' in envelope ? '' : parseManifest(peekPayload(envelope));
  return typeof manifest === 'string' ? null : { server: manifest.server.id, seq: manifest.seq };
}

const invalid = (why: string): SignedDefinitions => ({ status: 'invalid', why });

const members = ['v', 'canon', 'server', 'seq', 'iat', 'tools', 'prompts', 'templates', 'instructions'];

/** A member that we do not know may be a limit that the signer relies on: it is refused, not ignored. */
function parseManifest(value: JsonValue): Manifest | string {
  if (!isJsonObject(value) || value.v !== 1) return 'its version ("v") is not known here';
  if (value.canon !== 'mcp-def/1') return 'its digest formula ("canon") is not known here';
  if (!hasExactly(value, members)) return `it must hold ${members.join(', ')} and nothing else`;
  const { server, seq, iat, tools, prompts, templates, instructions } = value;
  if (!isJsonObject(server) || !hasExactly(server, ['id']) || typeof server.id !== 'string')
    return 'it names no server';
  if (!isCount(seq) || !isCount(iat)) return '"seq" and "iat" must be whole numbers';
  if (!isDigests(tools) || !isDigests(prompts) || !isDigests(templates)) return 'its digests have another form';
  if (instructions !== null && typeof instructions !== 'string') return 'its "instructions" must be a digest or null';
  return { v: 1, canon: 'mcp-def/1', server: { id: server.id }, seq, iat, tools, prompts, templates, instructions };
}

const isCount = (value: JsonValue | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

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
