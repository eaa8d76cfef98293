import { metadataUrls, readTokenEndpoint } from '#gateway/core/authorization-server.ts';
import { type Granted, type NotGranted, readTokenAnswer } from '#gateway/core/token-answer.ts';

/** How the gateway gets to an authorization server. Both throw Errors whose messages name no address and quote nothing. */
export interface Outlet {
  fetch(url: string, named: boolean): Promise<string>;
  post(
    url: string,
    named: boolean,
    form: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  ): Promise<{ readonly status: number; readonly text: string }>;
}

export interface AuthorizationServer {
  readonly issuer: string;
  /** Null where it is to be discovered. */
  readonly tokenUrl: string | null;
  readonly outlet: Outlet;
}

export interface Grant {
  /** What is asked for, besides who asks. */
  readonly form: Readonly<Record<string, string>>;
  /** Who asks: made anew for each request, since an assertion is good once. */
  readonly client: () => Promise<ClientProof>;
}

/** How a client says who it is: in a header, or in the form. */
export interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

/** Asks a token endpoint. It is looked for once, for all who wait, and again after it could not be asked or has moved. */
export function createTokenEndpoint(server: AuthorizationServer): (grant: Grant) => Promise<Granted | NotGranted> {
  const { issuer, tokenUrl, outlet } = server;
  let known: Promise<string> | null = null;
  return async ({ form, client }) => {
    known ??= tokenUrl === null ? discover(server) : Promise.resolve(tokenUrl);
    const used = known;
    // Only what was used here: another may have been found in the meantime.
    const forget = (): void => {
      if (known === used) known = null;
    };
    try {
      const url = await used;
      // On the host that the config names it is as good as named; anywhere else it gets to public addresses only.
      const named = tokenUrl !== null || new URL(url).host === new URL(issuer).host;
      const proof = await client();
      const body = new URLSearchParams({ ...form, ...proof.form }).toString();
      const headers = { ...proof.headers, 'content-type': 'application/x-www-form-urlencoded' };
      const { status, text } = await outlet.post(url, named, { headers, body });
      if (isElsewhere(status)) forget();
      return readTokenAnswer(status, text);
    } catch (fault) {
      forget();
      return { why: fault instanceof Error ? fault.message : 'cannot be asked' };
    }
  };
}

/** Whoever answers so is no token endpoint, or is none any more. */
const isElsewhere = (status: number): boolean =>
  status === 404 || status === 405 || status === 410 || (status >= 300 && status < 400);

async function discover({ issuer, outlet }: AuthorizationServer): Promise<string> {
  let last = 'has no metadata';
  for (const url of metadataUrls(issuer)) {
    const text = await outlet.fetch(url, true).catch((fault: unknown) => {
      last = fault instanceof Error ? fault.message : last;
      return null;
    });
    if (text === null) continue;
    const found = readTokenEndpoint(text, issuer);
    if ('url' in found) return found.url;
    // A document that is there and cannot be believed is no reason to believe another (protocol.md E).
    throw new Error(found.why);
  }
  throw new Error(last);
}
