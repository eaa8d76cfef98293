import type { ApprovalRecord } from '#gateway/core/approval-record.ts';
import type { Definitions, SeenManifest } from '#gateway/core/manifest.ts';
import type { Quarantine } from '#gateway/core/quarantine.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Target } from '#gateway/core/snapshot.ts';

/** First-seen definitions that were pinned, by server. */
export interface Pins {
  find(server: string): (Pin & { readonly record: string }) | null;
  /** Writes the pin if there is none, or if the one there is still what the caller looked at (`expected`, its `pinned`). */
  put(server: string, pin: Pin & { readonly record: string }, expected: number | null): boolean;
}

export interface Pin {
  readonly definitions: Definitions;
  /** Epoch milliseconds. */
  readonly pinned: number;
  readonly by: string;
}

/** Signs what says that something was approved, and opens it again. */
export interface ApprovalRecords {
  sign(record: ApprovalRecord): string;
  /** `why`: a clause. */
  open(text: string): ApprovalRecord | { readonly why: string };
}

/** The manifests that were believed, by server. It only ever goes up: an old manifest is as good a forgery as any (H1). */
export interface SeenManifests {
  find(server: string): SeenManifest | null;
  /** Keeps it if its number is higher than the one that is there. */
  raise(server: string, seen: SeenManifest): void;
}

/** What operators took out of use. Durable before it answers. */
export interface Quarantines {
  all(): readonly Quarantine[];
  /** False when it was there already: who came first, and why, stays. */
  put(quarantine: Quarantine): boolean;
  /** False when there was none. */
  lift(server: string, tool: string | null): boolean;
}

/** What was approved of a server at any time, by kind and name, with its last digest. It says what came back; it approves nothing. */
export interface EverApproved {
  find(server: string): ReadonlyMap<string, string>;
  /** Bounded: past that, names that are new are not kept, and what comes back under one reads as added. */
  keep(server: string, digests: ReadonlyMap<string, string>): void;
}

/** Looks at definitions again, where the last look is too old for what a call would do. */
export interface Lookout {
  /** Null when the last look is good enough; else why the call must not be made as it was judged, or null. */
  changed(target: Target): Promise<Refusal | null> | null;
}
