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

/** Posts a form over HTTPS, and gives the small document that comes back, whatever its status. Throws like the other. */
export type PostForm = (url: string, options: FetchOptions, form: Form) => Promise<Posted>;

export interface Form {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Posted {
  readonly status: number;
  readonly text: string;
}

const mostBytes = 64 * 1024;
const patience = 3_000;

export function createFetchDocument(egress: Egress): FetchDocument {
  return async (url, { post, ...options }) => {
    const form = post ? { body: post.body, headers: { ...json, authorization: post.authorization } } : null;
    const fit = post ? 201 : 200;
    const { status, text } = await exchange(egress, url, options, { form, reads: (answered) => answered === fit });
    if (status !== fit) throw new Error(`answered HTTP ${status}${redirected(status)}`);
    return text;
  };
}

const json = { 'content-type': 'application/json' };

export const createPostForm =
  (egress: Egress): PostForm =>
  (url, options, form) =>
    exchange(egress, url, options, { form, reads: saysWhy });

/** Errors of OAuth are 400 or 401 with a document; of what is no answer to the form only the status is looked at. */
const saysWhy = (status: number): boolean => status < 300 || (status >= 400 && status < 500);

interface Asking {
  readonly form: Form | null;
  /** Is the body of an answer with this status worth reading? It may be as long, and as slow, as its sender likes. */
  readonly reads: (status: number) => boolean;
}

/**
 * One connection a document: they are fetched every few minutes, and a kept connection would be a checked address that
 * is used long after the check.
 */
async function exchange(egress: Egress, url: string, options: FetchOptions, { form, reads }: Asking): Promise<Posted> {
  const { protocol, origin, pathname, search } = new URL(url);
  if (protocol !== 'https:') throw new Error('is not an https URL');
  const connect = egress.connector({ timeout: patience, ca: options.ca, opened: options.named });
  const agent = new Agent({ connect, allowH2: false, headersTimeout: patience, bodyTimeout: patience });
  const headers = { ...form?.headers, accept: 'application/json', 'accept-encoding': 'identity' };
  const signal = AbortSignal.timeout(patience);
  try {
    const asked = { origin, path: `${pathname}${search}`, headers, signal };
    // `request` follows no redirect: a 3xx is an answer like any other that is not 200.
    const answering = agent.request({ ...asked, method: form ? 'POST' : 'GET', body: form?.body ?? null });
    return await posted(await answering, reads);
  } catch (error) {
    if (error instanceof Unfit) throw error;
    throw new Error(signal.aborted ? 'timed out' : `cannot be had: ${connectionFault(error)}`);
  } finally {
    await agent.destroy();
  }
}

/** What is wrong with an answer, in words of ours. */
class Unfit extends Error {
  override readonly name = 'Unfit';
}

async function posted(answer: Dispatcher.ResponseData, reads: Asking['reads']): Promise<Posted> {
  const { statusCode: status, headers, body } = answer;
  if (!reads(status)) return { status, text: '' };
  const bytes = await bodyOf(body);
  if (headers['content-encoding'] !== undefined) throw new Unfit('answered with a Content-Encoding');
  const text = decodeUtf8(bytes);
  if (text === null) throw new Unfit('answered something that is not UTF-8');
  return { status, text };
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
