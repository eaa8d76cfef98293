import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { HttpRequest } from './carrier.ts';

/** A body that was read whole, or the HTTP status and sentence that say why not. */
export type Body =
  | { readonly text: string; readonly bytes: number }
  | { readonly status: number; readonly why: string };

const json = /^application\/json(?:[ \t]*;[ \t]*[\w-]+=(?:[\w-]+|"[\w -]+"))*$/i;

/** Checks the headers before a byte is read, then reads at most `atMost` bytes. */
export function readBody({ headers, body }: HttpRequest, atMost: number): Body | Promise<Body> {
  if (!json.test(headers['content-type'] ?? '')) return refused(415, 'The content type must be application/json.');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return refused(415, 'Send the body without content encoding.');
  if (Number(headers['content-length'] ?? 0) > atMost) return refused(413, tooLarge(atMost));
  if (Buffer.isBuffer(body)) return decoded(body);
  return new Promise((resolve) => collect(body, atMost, resolve));
}

function collect(request: Readable, atMost: number, resolve: (body: Body) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= atMost) return void chunks.push(chunk);
    request.pause();
    request.removeAllListeners('data');
    resolve({ status: 413, why: tooLarge(atMost) });
  });
  request.on('end', () => resolve(decoded(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))));
  request.on('error', () => resolve({ status: 400, why: 'The body broke off.' }));
}

/** Strictly UTF-8: a lenient decoder turns bad bytes into U+FFFD, and two programs read two documents. */
function decoded(body: Buffer): Body {
  if (!isUtf8(body)) return { status: 400, why: 'The body is not UTF-8.' };
  return { text: body.toString('utf8'), bytes: body.length };
}

const refused = (status: number, why: string): Body => ({ status, why });
const tooLarge = (atMost: number): string => `The body is larger than ${atMost} bytes.`;
