/** How the end of a body is found: after so many bytes, by its chunks, or when the connection closes. */
export type BodyLength = number | 'chunked' | 'until-close';

type Headers = Readonly<Record<string, string | readonly string[]>>;

interface HeadFraming {
  readonly length: BodyLength;
  readonly keeps: boolean;
  readonly idleHint: number | null;
}

/**
 * Where the body ends, and what becomes of the connection (RFC 9112 section 6). Null for everything that two readers could
 * take two ways: both lengths, one twice (also when equal), an unknown coding, a body where there can be none.
 */
export function framingOf(status: number, version: 0 | 1, headers: Headers): HeadFraming | null {
  const length = lengthOf(headers, version);
  if (length === null || status === 101) return null;
  const bare = status < 200 || status === 204;
  if (bare && length !== 0 && length !== 'until-close') return null;
  // A 304 may carry the length of a body that does not follow; not everybody believes that, so nothing comes after it.
  const none = bare || status === 304;
  const keeps = version === 1 && status !== 304 && (none || length !== 'until-close') && !says(headers, 'close');
  // News before an answer that it takes the connection away from.
  if (status < 200 && !keeps) return null;
  return { length: none ? 0 : length, keeps, idleHint: keeps ? hintOf(headers['keep-alive']) : null };
}

function lengthOf(headers: Headers, version: 0 | 1): BodyLength | null {
  const length = headers['content-length'];
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    const chunked = typeof coding === 'string' && coding.toLowerCase() === 'chunked';
    return chunked && length === undefined && version === 1 ? 'chunked' : null;
  }
  if (length === undefined) return 'until-close';
  return typeof length === 'string' && /^[0-9]{1,15}$/.test(length) ? Number(length) : null;
}

function says({ connection }: Headers, option: string): boolean {
  if (connection === undefined || connection === 'keep-alive') return false;
  const lists = typeof connection === 'string' ? [connection] : connection;
  return lists.some((list) => list.split(',').some((item) => item.trim().toLowerCase() === option));
}

function hintOf(header: string | readonly string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const seconds = /(?:^|[,;\s])timeout=([0-9]{1,6})(?:$|[,;\s])/i.exec(header)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1_000;
}
