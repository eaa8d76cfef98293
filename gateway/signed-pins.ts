import { setDigest } from '#gateway/core/definition-set.ts';
import type { Definitions, Sha256 } from '#gateway/core/manifest.ts';
import type { ApprovalRecords, Pin, Pins } from '#gateway/ports/trust.ts';

/** Why what the store holds as approved is not believed: a clause. */
export interface BadPin {
  readonly why: string;
  /** Null where it is gone. */
  readonly pinned: number | null;
}

/** What was approved, each with a record that this gateway signed. A store that others write into cannot approve anything. */
export interface SignedPins {
  find(server: string): Pin | BadPin | null;
  /** Writes if there is none, or if the one there is still what the caller looked at (`expected`, its `pinned`). */
  put(server: string, pin: Pin, expected: number | null): boolean;
}

export function createSignedPins(parts: {
  readonly pins: Pins;
  readonly records: ApprovalRecords;
  readonly sha256: Sha256;
}): SignedPins {
  const { pins, records, sha256 } = parts;
  /** By server, as high as this process has seen: an older record is as well signed as a newer one. */
  const highest = new Map<string, number>();

  function whyNot(
    server: string,
    { record, definitions, by, pinned }: Pin & { readonly record: string },
  ): string | null {
    const opened = records.open(record);
    if ('why' in opened) return opened.why;
    if (opened.server !== server) return 'is of something else';
    const { seq } = opened;
    const fits = opened.by === by && opened.at === pinned;
    if (!fits || opened.snapshot !== setDigest(definitions, sha256)) return 'is of something else';
    const seen = highest.get(server) ?? 0;
    if (seq < seen) return `has number ${seq}, and ${seen} was seen before: a roll-back`;
    highest.set(server, seq);
    return null;
  }

  function find(server: string): Pin | BadPin | null {
    const row = pins.find(server);
    if (!row) return highest.has(server) ? { why: 'is gone, and was there before', pinned: null } : null;
    const why = whyNot(server, row);
    const { definitions, pinned, by } = row;
    return why === null ? { definitions, pinned, by } : { why, pinned };
  }

  return {
    find,
    put(server, { definitions, pinned, by }, expected) {
      find(server);
      // Above whatever was seen, and by the clock above what nobody can read any more: a record that was spoiled.
      const seq = Math.max((highest.get(server) ?? 0) + 1, pinned);
      const snapshot = setDigest(definitions, sha256);
      const record = records.sign({ v: 1, server, seq, snapshot, by, at: pinned });
      const written = pins.put(server, { definitions, pinned, by, record }, expected);
      if (written) highest.set(server, seq);
      return written;
    },
  };
}

export const isBadPin = (pin: { readonly definitions: Definitions } | BadPin): pin is BadPin => 'why' in pin;
