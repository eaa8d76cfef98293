import { type HeaderMirror, headerMirrors, isMirrorFlaw, mirrorHeaders } from '#gateway/core/header-mirrors.ts';
import { isJsonObject } from '#gateway/core/json.ts';
import type { Request } from '#gateway/core/message.ts';
import { isAnswerTo, messagesOf } from './answer.ts';
import { mirrored } from './incoming.ts';
import type { Link } from './link.ts';
import { isTrouble } from './passes.ts';

/**
 * The headers that a modern tool call mirrors its arguments in. A host on stdio has none, and only the tool's definition
 * says which: it is looked up when the gateway misses one.
 */
export interface Mirrors {
  headers(call: Request): Record<string, string>;
  /** Looks the tools up. True when the call would now go with other headers than before. */
  learn(call: Request, revision: string, signal: AbortSignal): Promise<boolean>;
}

const ownId = 'sekisho-bridge-tools';

export function createMirrors(link: Link): Mirrors {
  let byTool = new Map<string, readonly HeaderMirror[]>();

  function headers({ method, params }: Request): Record<string, string> {
    const mirrors = method === 'tools/call' ? (byTool.get(String(params.name)) ?? []) : [];
    return mirrorHeaders(mirrors, isJsonObject(params.arguments) ? params.arguments : {});
  }

  return {
    headers,
    async learn(call, revision, signal) {
      const before = JSON.stringify(headers(call));
      const { _meta } = call.params;
      const list: Request = { kind: 'request', id: ownId, method: 'tools/list', params: { _meta } };
      const { id, method, params } = list;
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
      const answer = await link({ method: 'POST', body, headers: mirrored(list, revision), signal });
      if (isTrouble(answer)) return false;
      for await (const { message } of messagesOf(answer)) {
        if (isAnswerTo(message, ownId) && isJsonObject(message?.result)) byTool = mirrorsIn(message.result.tools);
      }
      return JSON.stringify(headers(call)) !== before;
    },
  };
}

function mirrorsIn(tools: unknown): Map<string, readonly HeaderMirror[]> {
  const found = new Map<string, readonly HeaderMirror[]>();
  for (const tool of Array.isArray(tools) ? tools : []) {
    const mirrors = isJsonObject(tool) ? headerMirrors(tool.inputSchema) : [];
    if (isJsonObject(tool) && !isMirrorFlaw(mirrors) && mirrors.length > 0) found.set(String(tool.name), mirrors);
  }
  return found;
}
