import { createHmac, createSecretKey, randomUUID } from 'node:crypto';
import { type AuditStamp, auditLine } from '#gateway/core/audit-record.ts';
import { canonical } from '#gateway/core/canonical.ts';
import type { Log, Recorder } from '#gateway/ports.ts';
import { createLineQueue } from './line-queue.ts';

/** Past this no new call should begin: the rest of the room is for calls that are under way and must be recorded. */
const highWater = 0.5;

export interface AuditOptions {
  readonly path: string;
  /** `block`: while the file cannot be written, `ready()` is false. `continue`: calls go on, and lost lines are counted. */
  readonly onFailure: 'block' | 'continue';
  /** Of this deployment. Digests of arguments are keyed with it, so that nobody can find out arguments by trying. */
  readonly hmacKey: Uint8Array;
  readonly log: Log;
}

export interface Audit {
  readonly recorder: Recorder;
  /** May a call begin, as far as the record of it is concerned? */
  ready(): boolean;
  counts(): { readonly written: number; readonly dropped: number };
  /** Resolves when all that was recorded is in the file. @throws when the file refuses it. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** The audit file: one JSON line a call. `writer` (this process) and `seq` show which lines are missing, if any are. */
export function createAudit({ path, onFailure, hmacKey, log }: AuditOptions): Audit {
  const writer = randomUUID().slice(0, 8);
  const digest = digestWith(hmacKey);
  const timeOf = writtenTimes();
  const lines = createLineQueue(path, log);
  let seq = 0;
  let dropped = 0;
  return {
    recorder: {
      record(end) {
        if (end.record.dryRun) return;
        seq++;
        const stamp = { writer, seq, ts: timeOf(end.record.at), digest };
        if (!lines.push(`${JSON.stringify(auditLine(end, stamp))}\n`)) dropped++;
      },
    },
    ready: () => onFailure === 'continue' || (!lines.failing() && lines.fullness() < highWater),
    counts: () => ({ written: lines.written(), dropped }),
    flush: lines.flush,
    async close() {
      const lost = await lines.close();
      dropped += lost;
      if (lost > 0) log.error({ path, lost }, 'audit lines are lost: the file refused them to the end');
    },
  };
}

/** ISO 8601. Calls that come close together share a millisecond, and to write it takes as long as to write half a line. */
function writtenTimes(): (at: number) => string {
  let last = { at: Number.NaN, text: '' };
  return (at) => {
    if (at !== last.at) last = { at, text: new Date(at).toISOString() };
    return last.text;
  };
}

/** HMAC-SHA256 over the canonical form (RFC 8785), so that arguments in another order are the same arguments. */
function digestWith(bytes: Uint8Array): AuditStamp['digest'] {
  const key = createSecretKey(bytes);
  return (args) => `hmac-sha256-${createHmac('sha256', key).update(canonical(args)).digest('base64url')}`;
}
