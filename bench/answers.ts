import { contentText, eventCount, toolOf } from './message.ts';

/** A message to the servers of the benchmark. */
export interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params: {
    readonly protocolVersion?: string;
    readonly name?: string;
    readonly arguments?: { readonly query: string; readonly note: string };
    readonly _meta?: { readonly progressToken?: string | number };
  };
}

const properties = {
  query: { type: 'string' },
  project: { type: 'string' },
  labels: { type: 'array', items: { type: 'string' } },
  state: { type: 'string' },
  limit: { type: 'integer' },
};
const named = [...new Set(Object.values(toolOf))];
const toolList = (length: number): string =>
  JSON.stringify(
    Array.from({ length }, (_, n) => ({
      name: named[n] ?? `tool_${n}`,
      description: 'Searches the issues of a project.',
      inputSchema: { type: 'object', properties },
    })),
  );
const serverInfo = { name: 'bench', version: '1' };
const capabilities = { tools: {} };

export interface Kind {
  /** Of 2026-07-28, and not up to 2025-11-25. */
  readonly modern: boolean;
  readonly tools: number;
}

/** What a server says to a message, as text: its `result`, or null where it does not know the method. */
export function resultOf({ method, params }: Message, { modern, tools }: Kind): string | null {
  const whole = modern ? '"resultType":"complete",' : '';
  const kept = modern ? `${whole}"ttlMs":60000,"cacheScope":"public",` : '';
  if (method === 'tools/call') {
    const content = contentText(params.arguments?.query ?? '', params.arguments?.note ?? '', params.name ?? '');
    return `{${whole}"content":${content},"isError":false}`;
  }
  if (method === 'tools/list') return `{${kept}"tools":${toolList(tools)}}`;
  if (method === 'server/discover' && modern) {
    return `{${kept}${JSON.stringify({ supportedVersions: ['2026-07-28'], capabilities, serverInfo }).slice(1)}`;
  }
  if (method === 'initialize' && !modern) {
    return JSON.stringify({ protocolVersion: params.protocolVersion, capabilities, serverInfo });
  }
  return method === 'ping' ? '{}' : null;
}

/** The messages that come before the answer of a call whose answer is a stream. */
export function progressOf({ params }: Message): readonly string[] {
  const progressToken = JSON.stringify(params._meta?.progressToken);
  return Array.from({ length: eventCount - 1 }, (_, n) => {
    const said = `{"progressToken":${progressToken},"progress":${n + 1},"total":${eventCount},"message":"still at it"}`;
    return `{"jsonrpc":"2.0","method":"notifications/progress","params":${said}}`;
  });
}

/** A whole message that answers another one. */
export const answerTo = (id: number | string, result: string | null): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${
    result === null ? '"error":{"code":-32601,"message":"Method not found"}' : `"result":${result}`
  }}`;
