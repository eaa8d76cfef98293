import { createRequire } from 'node:module';
import { readPlainHead } from '#gateway/adapters/http/door-head.ts';

/** What Node's own HTTP parser, the one in its server, makes of some bytes. */
interface NodeReading {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly complete: boolean;
}

interface NodeParser {
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
  close(): void;
  [callback: number]: unknown;
}

type HeadersComplete = (
  ...seen: [number, number, string[] | undefined, number, string, number, string, boolean, boolean]
) => number;

const { HTTPParser, methods } = createRequire(import.meta.url)('node:_http_common') as {
  readonly HTTPParser: (new () => NodeParser) & Readonly<Record<string, number>>;
  readonly methods: readonly string[];
};

function readWithNode(bytes: Buffer): NodeReading | null {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST ?? 0, {});
  const flat: string[] = [];
  let url = '';
  let seen: Parameters<HeadersComplete> | null = null;
  let body = '';
  let complete = 0;
  const on = (name: string, callback: unknown): void => {
    parser[HTTPParser[name] ?? -1] = callback;
  };
  on('kOnHeaders', (more: string[], path: string) => {
    flat.push(...more);
    url += path;
  });
  on('kOnHeadersComplete', (...all: Parameters<HeadersComplete>) => {
    seen = all;
    flat.push(...(all[2] ?? []));
    return 0;
  });
  on('kOnBody', (chunk: Buffer) => {
    body += chunk.toString('latin1');
  });
  on('kOnMessageComplete', () => void complete++);
  const taken = parser.execute(bytes);
  parser.close();
  if (taken !== bytes.length || seen === null) return null;
  const [major, minor, , method, path, , , upgrade, keepAlive] = seen as Parameters<HeadersComplete>;
  const headers: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    if (name in headers) return null;
    headers[name] = flat[i + 1] ?? '';
  }
  const version = `${major}.${minor}`;
  return {
    ...{ method: methods[method] ?? '', url: url + (path ?? ''), version, keepAlive, upgrade, headers },
    ...{ body, complete: complete === 1 },
  };
}

const endOfHead = '\r\n\r\n';

/**
 * Reads the same bytes at the door and with Node. Null when the door leaves them alone, or when both read the same;
 * otherwise what the difference is.
 */
export function difference(text: string): { readonly accepted: boolean; readonly difference: string | null } {
  const end = text.indexOf(endOfHead);
  const head = end > 0 ? readPlainHead(text.slice(0, end)) : null;
  if (!head) return { accepted: false, difference: null };
  const body = 'b'.repeat(head.length);
  const node = readWithNode(Buffer.from(text.slice(0, end) + endOfHead + body, 'latin1'));
  const ours = { method: 'POST', url: head.path, version: '1.1', keepAlive: true, upgrade: false };
  const expected: NodeReading = { ...ours, headers: head.headers, body, complete: true };
  const same = node !== null && JSON.stringify(sorted(node)) === JSON.stringify(sorted(expected));
  return { accepted: true, difference: same ? null : JSON.stringify({ node, expected }) };
}

const sorted = (reading: NodeReading): object => ({ ...reading, headers: Object.entries(reading.headers).sort() });

const base = (over: string): string =>
  `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:7410\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n${over}Content-Length: 12\r\n\r\n`;

const bases: readonly string[] = [
  base(''),
  base('Authorization: Bearer abc.def\r\nMcp-Session-Id: aZ-_09\r\n'),
  base('connection: keep-alive\r\nuser-agent: node\r\naccept-language: *\r\nsec-fetch-mode: cors\r\n'),
  base(
    'MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: =?base64?YQ==?=\r\nMcp-Param-Region: eu\r\n',
  ),
  base('').replace('/mcp', '/mcp/server/files'),
];

const bits: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\0',
    '\t',
    ' ',
    ':',
    ',',
    ';',
    '"',
    '\x7f',
    '\x80',
    '\xff',
    '0',
    '1',
    '+',
    '-',
    'x',
  ],
  ...['Content-Length: 12\r\n', 'Content-Length: 3\r\n', 'content-length : 3\r\n', 'Content-Length: 0x0c\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding : chunked\r\n', 'Transfer-Encoding:\tchunked\r\n'],
  ...[
    'Connection: close\r\n',
    'Connection: upgrade\r\n',
    'Upgrade: h2c\r\n',
    'Expect: 100-continue\r\n',
    'TE: trailers\r\n',
  ],
  ...[' folded\r\n', '\tfolded\r\n', 'Host: other\r\n', 'X: y\r\n', 'POST /mcp HTTP/1.1\r\n', 'GET / HTTP/1.0\r\n'],
  ...['/../', '%2e', '?a=b', '#f', 'HTTP/1.0', 'HTTP/2.0', 'http/1.1', '/mcp', 'keep-alive', 'Keep-Alive'],
];

/** One request as an attacker, or a careless client, might write it: a plain one with a few things wrong in it. */
export function mutated(random: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  let text = pick(bases);
  for (let left = Math.floor(random() * 4); left >= 0; left--) {
    const at = Math.floor(random() * (text.length + 1));
    const kind = random();
    if (kind < 0.4) text = text.slice(0, at) + pick(bits) + text.slice(at);
    else if (kind < 0.55) text = text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 3));
    else if (kind < 0.7)
      text = text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
    else text = lineChange(text, pick, kind);
  }
  return text;
}

function lineChange(text: string, pick: <T>(from: readonly T[]) => T, kind: number): string {
  const lines = text.split('\r\n');
  const line = pick(lines);
  const at = lines.indexOf(line);
  if (kind < 0.8) lines.splice(at, 0, line);
  else if (kind < 0.9) lines.splice(at, 1);
  else lines[at] = kind < 0.95 ? line.toUpperCase() : line.replace(': ', pick([':', ':  ', ' : ', ':\t', ': \t']));
  return lines.join('\r\n');
}
