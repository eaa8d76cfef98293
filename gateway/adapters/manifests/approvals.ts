import type { KeyObject } from 'node:crypto';
import { type ApprovalRecord, parseApprovalRecord } from '#gateway/core/approval-record.ts';
import { isFlaw, isJsonObject, parseStrict } from '#gateway/core/json.ts';
import type { PublicJwk } from '#gateway/core/jwk.ts';
import type { ApprovalRecords } from '#gateway/ports/trust.ts';
import { openJws } from './envelope.ts';
import { signJws } from './sign.ts';

const approvalType = 'mcp-approval+jws';

/** Signs and opens approval records with the gateway's own key. */
export function createApprovalRecords(own: {
  readonly kid: string;
  readonly key: KeyObject;
  readonly jwk: PublicJwk;
}): ApprovalRecords {
  const jwks = { keys: [own.jwk] };
  return {
    sign: (record) => JSON.stringify(signJws(approvalType, record, own)),
    open(text): ApprovalRecord | { readonly why: string } {
      const parsed = parseStrict(text, 2);
      if (isFlaw(parsed) || !isJsonObject(parsed.value)) return { why: 'is not there' };
      const { payload, protected: header, signature, ...more } = parsed.value;
      if (typeof payload !== 'string' || typeof header !== 'string' || typeof signature !== 'string') {
        return { why: 'is no JWS' };
      }
      if (Object.keys(more).length > 0) return { why: 'holds more than a JWS' };
      const opened = openJws({ payload, protected: header, signature }, approvalType, jwks);
      if ('why' in opened) return { why: 'was not signed by this gateway' };
      return parseApprovalRecord(opened.payload) ?? { why: 'has another form' };
    },
  };
}
