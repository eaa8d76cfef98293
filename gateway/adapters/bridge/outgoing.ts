import type { Writable } from 'node:stream';
import type { JsonValue } from '#gateway/core/json.ts';
import type { MessageId } from '#gateway/core/message.ts';
import { refusals } from '#gateway/core/refusals.ts';
import type { Trouble } from './passes.ts';

/** Writes messages to the host, one a line. Nothing else may ever be written there. */
export interface Outgoing {
  /** A message as it came; JSON has no line break that means anything. */
  pass(text: string): void;
  fail(
    id: MessageId | null,
    error: { readonly code: number; readonly message: string; readonly data?: JsonValue },
  ): void;
  trouble(id: MessageId, trouble: Trouble): void;
}

/** The bridge's own codes continue the gateway's 503 family (core/refusals.ts). */
const codes = { gateway_unreachable: 50302, gateway_lost: 50303, token_missing: refusals.token_missing.code } as const;

export function createOutgoing(output: Writable): Outgoing {
  const pass = (text: string): void => void output.write(`${text.replaceAll(/[\r\n]+/g, ' ')}\n`);
  const fail: Outgoing['fail'] = (id, error) => pass(JSON.stringify({ jsonrpc: '2.0', id, error }));
  return {
    pass,
    fail,
    trouble(id, { trouble, detail }) {
      const retry = trouble === 'token_missing' ? 'sign-in' : 'later';
      fail(id, { code: codes[trouble], message: detail, data: { reason: trouble, retry } });
    },
  };
}
