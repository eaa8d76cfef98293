import { argumentsDigest } from './approval.ts';
import type { Reserved } from './call.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { Sha256 } from './manifest.ts';
import { type Refusal, refuse } from './refusals.ts';

/**
 * The `requestState` of a server, in our own seal on its way to the caller and back. The servers know the gateway by one
 * credential, so they cannot tell callers apart: one caller's state in another's hands would be good there (C3, D13).
 */
export interface Box {
  seal(text: string): string;
  /** Null for everything that this key did not seal. */
  open(box: string): string | null;
}

/** Milliseconds: as long as a person may take, and a little more. */
const lifetime = 3_600_000;

export function sealState(box: Box, call: Reserved, sha256: Sha256, state: string): string {
  return box.seal(JSON.stringify({ ...bound(call, sha256), until: call.at + lifetime, state }));
}

/** The state as the server gave it, if it was given in exactly this call. */
export function openState(box: Box, call: Reserved, sha256: Sha256, given: string): { state: string } | Refusal {
  const text = box.open(given);
  const sealed = text === null ? null : read(text);
  if (!sealed || typeof sealed.state !== 'string') return refuse('input_invalid', '"requestState" is none of ours.');
  if (Number(sealed.until) < call.at) return refuse('input_invalid', '"requestState" has expired.');
  for (const [name, value] of Object.entries(bound(call, sha256))) {
    if (sealed[name] !== value) return refuse('input_invalid', `"requestState" is of another ${name}.`);
  }
  return { state: sealed.state };
}

/** Not strictly: nobody but this gateway wrote it, and a state may hold what a caller's message may not. */
function read(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** What makes it this call and no other: the retry of a call has the same of all of these. */
const bound = ({ identity, target, method, args }: Reserved, sha256: Sha256): JsonObject => ({
  principal: identity.principal.id,
  run: identity.run.id,
  server: target.server.id,
  method,
  name: target.name,
  arguments: argumentsDigest(args, sha256),
});
