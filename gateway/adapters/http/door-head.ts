/** The head of a request that the door takes: `POST` to a path of MCP over HTTP/1.1, with a body of known length. */
export interface PlainHead {
  readonly path: string;
  /** Names in lower case, each once. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of body. */
  readonly length: number;
}

/** Exactly the spellings that name a view (edge.ts `viewOf`); a query, a fragment, an escape is for Node to read. */
const requestLine = /^POST (\/mcp(?:\/server\/[a-z0-9-]{1,12})?) HTTP\/1\.1\r\n/;

/**
 * One field line as RFC 9112 §5 writes it, without what parsers read in two ways: no white space but one space after the
 * colon, no folded line, no empty value, no byte outside of visible ASCII. The last line of the head has lost its CRLF.
 */
const fieldLine = /([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)(?:\r\n|$)/y;

/** What is known to say nothing about how the message is framed or the connection is used, or is checked below. */
const known: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'content-length', 'content-type', 'accept', 'accept-encoding', 'accept-language'],
  ...['authorization', 'dpop', 'user-agent', 'origin', 'referer', 'cache-control', 'pragma', 'priority', 'dnt'],
  ...['mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'traceparent', 'tracestate', 'baggage'],
  ...['sec-fetch-mode', 'sec-fetch-site', 'sec-fetch-dest', 'x-request-id', 'x-forwarded-for', 'x-forwarded-proto'],
  ...['x-forwarded-host', 'x-real-ip', 'via'],
]);
const knownPrefix = 'mcp-param-';
const mostFields = 64;

/**
 * Reads the head of a request, up to but without the empty line that ends it. Null for everything that is not plain:
 * the door decides nothing doubtful, it leaves it to Node's parser, which sees the very same bytes.
 */
export function readPlainHead(head: string): PlainHead | null {
  const line = requestLine.exec(head);
  if (!line?.[1]) return null;
  const headers: Record<string, string> = {};
  fieldLine.lastIndex = line[0].length;
  for (let fields = 0; fieldLine.lastIndex < head.length; fields++) {
    const field = fieldLine.exec(head);
    if (!field || fields === mostFields) return null;
    const name = (field[1] ?? '').toLowerCase();
    if (!known.has(name) && !name.startsWith(knownPrefix)) return null;
    if (headers[name] !== undefined) return null;
    headers[name] = field[2] ?? '';
  }
  const { host, connection } = headers;
  const length = headers['content-length'];
  if (host === undefined || length === undefined || !/^[1-9][0-9]{0,8}$/.test(length)) return null;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null;
  return { path: line[1], headers, length: Number(length) };
}
