import { isJsonObject, type JsonValue } from './json.ts';

/**
 * That a set of definitions was approved, as the gateway signs it (identity-and-trust.md §3.2, `mcp-approval+jws`): whoever can
 * write into the store can neither make one nor change what it stands for.
 */
export interface ApprovalRecord {
  readonly v: 1;
  readonly server: string;
  /** Of this server; it only ever goes up. */
  readonly seq: number;
  /** Digest of the definitions that were approved. */
  readonly snapshot: string;
  readonly by: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

const members = ['v', 'server', 'seq', 'snapshot', 'by', 'at'];

/** A member that we do not know may be a limit that was relied on: it is refused, not ignored. */
export function parseApprovalRecord(value: JsonValue): ApprovalRecord | null {
  if (!isJsonObject(value) || value.v !== 1 || Object.keys(value).length !== members.length) return null;
  const { server, seq, snapshot, by, at } = value;
  if (typeof server !== 'string' || typeof snapshot !== 'string' || typeof by !== 'string') return null;
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(at)) return null;
  return { v: 1, server, seq: Number(seq), snapshot, by, at: Number(at) };
}
