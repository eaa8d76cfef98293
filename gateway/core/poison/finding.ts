import type { DefinitionKind } from '#gateway/core/manifest.ts';
import type { PoisonKind } from './kinds.ts';

/** Something in a definition that a person should look at before a model reads it. */
export interface Finding {
  readonly kind: PoisonKind;
  readonly on: DefinitionKind | 'instructions';
  /** The definition's name. */
  readonly name: string;
  /** Where in the definition, as a JSON pointer (RFC 6901); `''` is the whole of it. */
  readonly pointer: string;
  /** A clause for people: what it is. */
  readonly why: string;
  /** The place itself, raw and cut: whoever prints it makes what is invisible visible (`printable`). */
  readonly shown: string;
}

/** What a check says of one place; the rest of the finding is known where the check is called. */
export type Hit = Pick<Finding, 'pointer' | 'why' | 'shown'>;

const mostShown = 120;

export const hit = (pointer: string, why: string, shown: string): Hit => ({
  pointer,
  why,
  shown: shown.length > mostShown ? `${shown.slice(0, mostShown).toWellFormed()}…` : shown,
});
