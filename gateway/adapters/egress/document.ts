import { Agent, type Dispatcher } from 'undici';
import { decodeUtf8 } from '#gateway/core/base64url.ts';
import { connectionFault } from '#gateway/core/connection-faults.ts';
import type { Egress } from './egress.ts';

/** Fetches a small document over HTTPS. Throws an Error whose message names no address and quotes nothing. */
export type FetchDocument = (url: string, options: FetchOptions) => Promise<string>;

export interface FetchOptions {
  /** PEM of a private authority, or null for the public ones. */
  readonly ca: string | null;
  /** False for a URL that was read in another document. */
  readonly named: boolean;
  /** What is posted, and the credential that goes with it; nothing is: the document is got. */
  readonly post?: { readonly body: string; readonly authorization: string };
}

const mostBytes = 64 * 1024;
const patience = 3_000;

/**
 * One connection a document: they are fetched every few minutes, and a kept connection would be a checked address that
 * is used long after the check.
 */
export function createFetchDocument(egress: Egress): FetchDocument {
  return async (url, { ca, named, post }) => {
    const { protocol, origin, pathname, search } = new URL(url);
    if (protocol !== 'https:') throw new Error('is not an https URL');
    const connect = egress.connector({ timeout: patience, ca, opened: named });
    const agent = new Agent({ connect, allowH2: false, headersTimeout: patience, bodyTimeout: patience });
    const plain = { accept: 'application/json', 'accept-encoding': 'identity' };
    const sent = post
      ? ({
          method: 'POST',
          body: post.body,
          headers: { ...plain, ...sending, authorization: post.authorization },
        } as const)
      : ({ method: 'GET', headers: plain } as const);
    const signal = AbortSignal.timeout(patience);
    try {
      // `request` follows no redirect: a 3xx is an answer like any other that is not the one expected.
      return await textOf(agent.request({ origin, path: `${pathname}${search}`, ...sent, signal }), post ? 201 : 200);
    } catch (error) {
      if (error instanceof Unfit) throw error;
      throw new Error(signal.aborted ? 'timed out' : `cannot be had: ${connectionFault(error)}`);
    } finally {
      await agent.destroy();
    }
  };
}

/** What is wrong with an answer, in words of ours. */
class Unfit extends Error {
  override readonly name = 'Unfit';
}

const sending = { 'content-type': 'application/json' };

async function textOf(answering: Promise<Dispatcher.ResponseData>, expected: number): Promise<string> {
  const { statusCode: status, headers, body } = await answering;
  if (status !== expected) throw new Unfit(`answered HTTP ${status}${redirected(status)}`);
  const bytes = await bodyOf(body);
  if (headers['content-encoding'] !== undefined) throw new Unfit('answered with a Content-Encoding');
  const text = decodeUtf8(bytes);
  if (text === null) throw new Unfit('answered something that is not UTF-8');
  return text;
}

const redirected = (status: number): string => (status >= 300 && status < 400 ? ': redirects are not followed' : '');

async function bodyOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Unfit('answered with more than 64 KiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
