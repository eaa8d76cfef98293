import type { Readable } from 'node:stream';

export const longestLine = 32 * 1024 * 1024;

/** The lines of a stream; null stands for one that was too long, which is dropped up to its end. */
export async function* linesOf(input: Readable): AsyncGenerator<string | null> {
  let parts: Buffer[] = [];
  let size = 0;
  let dropping = false;
  for await (const chunk of input) {
    let rest: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      if (!dropping) yield Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      dropping = false;
      parts = [];
      size = 0;
      rest = rest.subarray(end + 1);
    }
    if (dropping) continue;
    size += rest.length;
    parts.push(rest);
    if (size <= longestLine) continue;
    yield null;
    dropping = true;
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts).toString('utf8');
}
