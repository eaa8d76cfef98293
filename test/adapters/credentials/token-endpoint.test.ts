import { describe, expect, test } from 'vitest';
import { createTokenEndpoint } from '#gateway/adapters/credentials/token-endpoint.ts';

const issuer = 'https://as.test/tenant';
const token = JSON.stringify({ access_token: 'a', token_type: 'Bearer', expires_in: 60 });
const grant = {
  form: { grant_type: 'client_credentials', resource: 'https://mcp.test/mcp' },
  client: () => Promise.resolve({ headers: { authorization: 'Basic x' }, form: { client_id: 'sekisho' } }),
};

/** An authorization server with these documents; what was asked of it, and whether it counted as named in the config. */
function aServer(documents: Readonly<Record<string, object>>, tokenUrl: string | null = null) {
  const asked: string[] = [];
  const answers = { post: () => Promise.resolve({ status: 200, text: token }) };
  const note = (verb: string, url: string, named: boolean): void =>
    void asked.push(`${verb} ${url}${named ? '' : ' (not named)'}`);
  const outlet = {
    async fetch(url: string, named: boolean) {
      note('GET', url, named);
      if (documents[url] === undefined) throw new Error('answered HTTP 404');
      return JSON.stringify(documents[url]);
    },
    post(url: string, named: boolean, form: { readonly headers: object; readonly body: string }) {
      note('POST', url, named);
      asked.push(`${JSON.stringify(form.headers)} ${form.body}`);
      return answers.post();
    },
  };
  return { asked, answers, ask: createTokenEndpoint({ issuer, tokenUrl, outlet }) };
}

const inserted = 'https://as.test/.well-known/oauth-authorization-server/tenant';
const metadata = (more: object = {}) => ({ issuer, token_endpoint: 'https://as.test/token', ...more });

describe('the token endpoint of an authorization server', () => {
  test('is asked as the form and the client say it, and looked for once', async () => {
    const { ask, asked } = aServer({ [inserted]: metadata() });
    for (const _ of [1, 2]) expect(await ask(grant)).toEqual({ token: 'a', expiresIn: 60 });
    const headers = '{"authorization":"Basic x","content-type":"application/x-www-form-urlencoded"}';
    const sent = `${headers} grant_type=client_credentials&resource=https%3A%2F%2Fmcp.test%2Fmcp&client_id=sekisho`;
    const posted = ['POST https://as.test/token', sent];
    expect(asked).toEqual([`GET ${inserted}`, ...posted, ...posted]);
  });

  test('is reached at public addresses only where the metadata name another host', async () => {
    const { ask, asked } = aServer({ [inserted]: metadata({ token_endpoint: 'https://elsewhere.test/token' }) });
    await ask(grant);
    expect(asked[1]).toBe('POST https://elsewhere.test/token (not named)');
  });

  test('is not looked for when the config names it', async () => {
    const { ask, asked } = aServer({}, 'https://elsewhere.test/token');
    await ask(grant);
    expect(asked[0]).toBe('POST https://elsewhere.test/token');
  });

  test('is looked for in the next place when a document is missing', async () => {
    const own = 'https://as.test/tenant/.well-known/openid-configuration';
    const { ask, asked } = aServer({ [own]: metadata() });
    expect(await ask(grant)).toMatchObject({ token: 'a' });
    expect(asked.slice(0, 3)).toEqual([
      `GET ${inserted}`,
      'GET https://as.test/.well-known/openid-configuration/tenant',
      `GET ${own}`,
    ]);
  });

  test('that no document names, or one of another issuer does, is not asked, and the credential of the gateway is sent nowhere', async () => {
    const own = 'https://as.test/tenant/.well-known/openid-configuration';
    const { ask, asked } = aServer({ [inserted]: metadata({ issuer: 'https://evil.test' }), [own]: metadata() });
    expect(await ask(grant)).toEqual({ why: 'has metadata of another issuer' });
    expect(await aServer({}).ask(grant)).toEqual({ why: 'answered HTTP 404' });
    expect(asked.some((line) => line.startsWith('POST') || line.includes('Basic'))).toBe(false);
  });

  test('is looked for again after it could not be asked', async () => {
    const { ask, asked, answers } = aServer({ [inserted]: metadata() });
    answers.post = () => Promise.reject(new Error('timed out'));
    expect(await ask(grant)).toEqual({ why: 'timed out' });
    answers.post = () => Promise.resolve({ status: 200, text: token });
    expect(await ask(grant)).toMatchObject({ token: 'a' });
    expect(asked.filter((line) => line.startsWith('GET'))).toHaveLength(2);
  });

  test('is looked for once for all who ask at the same time', async () => {
    const { ask, asked } = aServer({ [inserted]: metadata() });
    await Promise.all([1, 2, 3].map(() => ask(grant)));
    expect(asked.filter((line) => line.startsWith('GET'))).toHaveLength(1);
    expect(asked.filter((line) => line.startsWith('POST'))).toHaveLength(3);
  });

  test.each([301, 307, 404, 405, 410])(
    'that answers HTTP %i is looked for again, since it has moved',
    async (status) => {
      const documents: Record<string, object> = { [inserted]: metadata() };
      const { ask, asked, answers } = aServer(documents);
      answers.post = () => Promise.resolve({ status, text: '' });
      expect(await ask(grant)).toEqual({ why: `answered HTTP ${status}` });
      documents[inserted] = metadata({ token_endpoint: 'https://as.test/moved' });
      answers.post = () => Promise.resolve({ status: 200, text: token });
      expect(await ask(grant)).toMatchObject({ token: 'a' });
      expect(asked.filter((line) => line.startsWith('POST')).at(-1)).toBe('POST https://as.test/moved');
    },
  );

  test.each([400, 401, 429, 503])('that answers HTTP %i is where it was', async (status) => {
    const { ask, asked, answers } = aServer({ [inserted]: metadata() });
    answers.post = () => Promise.resolve({ status, text: '' });
    await ask(grant);
    await ask(grant);
    expect(asked.filter((line) => line.startsWith('GET'))).toHaveLength(1);
  });
});
