import { argumentsDigest, callDigest } from './approval.ts';
import type { Classified, Reserved } from './call.ts';
import { bindingOf } from './call-binding.ts';
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
export const stateLifetime = 3_600_000;

/** An approval on its way to the caller and back, with the call that it was given to. */
export interface Carried {
  readonly id: string;
  readonly by: string;
  /** Digest of the call, and why it was asked about: what is agreed to, and no more than that. */
  readonly call: string;
  readonly codes: readonly string[];
  /** The call whose server asked; what follows it may go on once. */
  readonly leg: string;
  readonly until: number;
}

export interface Opened {
  /** As the server gave it; null where it gave none. */
  readonly state: string | null;
  readonly approval: Carried | null;
}

export function sealState(box: Box, call: Reserved, sha256: Sha256, state: string | null): string {
  const opened: Opened = { state, approval: carriedBy(call, sha256) };
  return box.seal(JSON.stringify({ ...bound(call, sha256), until: call.at + stateLifetime, ...opened }));
}

function carriedBy(call: Reserved, sha256: Sha256): Carried | null {
  const { approval, decision } = call;
  if (approval === null) return null;
  const { id, by, until } = approval;
  return { id, by, until, leg: call.call, codes: decision.codes, call: callDigest(bindingOf(call, sha256), sha256) };
}

/** The state as the server gave it, if it was given in exactly this call, and the approval that came with it. */
export function openState(box: Box, call: Classified, sha256: Sha256, given: string): Opened | Refusal {
  const text = box.open(given);
  const sealed = text === null ? null : read(text);
  const { state } = sealed ?? {};
  const own = bound(call, sha256);
  // A stranger is told of one that is good no more than of one that was made up.
  const foreign = !sealed || sealed.principal !== own.principal || sealed.run !== own.run;
  if (foreign || (typeof state !== 'string' && state !== null))
    return refuse('input_invalid', '"requestState" is none of this run.');
  if (Number(sealed.until) < call.at) return refuse('input_invalid', '"requestState" has expired.');
  for (const [name, value] of Object.entries(own)) {
    if (sealed[name] !== value) return refuse('input_invalid', `"requestState" is of another ${name}.`);
  }
  return { state, approval: isJsonObject(sealed.approval) ? (sealed.approval as unknown as Carried) : null };
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
const bound = ({ identity, target, method, args }: Classified, sha256: Sha256): JsonObject => ({
  principal: identity.principal.id,
  run: identity.run.id,
  server: target.server.id,
  method,
  name: target.name,
  arguments: argumentsDigest(args, sha256),
});
