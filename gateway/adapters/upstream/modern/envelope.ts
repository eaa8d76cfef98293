import { type Client, isModern, metaKeys, modernRevisions } from '#gateway/core/exchange.ts';
import { encodeSentinel, type HeaderMirror, mirroredName, mirrorHeaders } from '#gateway/core/header-mirrors.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { clientInfo } from '../handshake.ts';
import type { Envelope } from '../turn.ts';

/** What of a call says how it is to be understood. */
export interface Said {
  readonly method: string;
  readonly params: JsonObject;
  readonly mirrors: readonly HeaderMirror[];
  /** Null for what the gateway asks for itself. */
  readonly client: Client | null;
  /** What the caller can be asked for. */
  readonly declared: JsonObject;
}

const [revision] = modernRevisions;

/** Servers give up on heads of some 16 KiB, and answer with what nobody understands. */
const mostHeaderBytes = 8 * 1024;

/** What a self-contained request carries beside its own parameters. The headers are made from what is sent, never copied. */
export function envelopeFor(said: Said): Envelope | Refusal {
  const { method, params, declared } = said;
  const headers: Record<string, string> = { 'mcp-protocol-version': revision, 'mcp-method': method };
  const name = mirroredName(method, params);
  if (name !== null) headers['mcp-name'] = encodeSentinel(name);
  const args = isJsonObject(params.arguments) ? params.arguments : {};
  Object.assign(headers, mirrorHeaders(said.mirrors, args));
  const bytes = Object.values(headers).reduce((sum, value) => sum + value.length, 0);
  if (bytes > mostHeaderBytes) return refuse('arguments_invalid', 'What headers have to repeat of it is too long.');
  const level = levelOf(said.client);
  return {
    headers,
    meta: {
      [metaKeys.revision]: revision,
      [metaKeys.capabilities]: declared,
      [metaKeys.info]: clientInfo,
      ...(level === null ? {} : { [metaKeys.logLevel]: level }),
    },
  };
}

/** Without a level a modern server sends nothing; a legacy client that named none is used to getting everything. */
function levelOf(client: Client | null): string | null {
  if (client === null) return null;
  return client.logLevel ?? (isModern(client.revision) ? null : 'debug');
}
