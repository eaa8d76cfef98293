import type { RequestListener } from 'node:http';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createFetchDocument, createPostForm } from '#gateway/adapters/egress/document.ts';
import { createEgress, type Resolve } from '#gateway/adapters/egress/egress.ts';
import { openedRanges } from '#gateway/core/egress.ts';
import { createPrivateCa, type PrivateCa, startTlsServer } from '#test/support/tls-server.ts';

const local: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
const fetchDocument = createFetchDocument(createEgress({ opened: openedRanges(['127.0.0.1']), resolve: local }));

let authority: PrivateCa;
beforeAll(async () => {
  authority = await createPrivateCa('issuer.test');
});

async function serve(listener: RequestListener) {
  const server = await startTlsServer(authority, listener);
  onTestFinished(() => server.close());
  return server;
}

test('fetches a document over TLS of a private authority, without asking for compression', async () => {
  const heard: unknown[] = [];
  const { port } = await serve((request, answer) => {
    heard.push(request.url, request.headers['accept-encoding'], request.headers.authorization);
    answer.end('{"keys":[]}');
  });
  const text = await fetchDocument(`https://issuer.test:${port}/a?b=c`, { ca: authority.ca, named: true });
  expect(text).toBe('{"keys":[]}');
  expect(heard).toEqual(['/a?b=c', 'identity', undefined]);
});

test('the name is verified, although an address is dialled', async () => {
  const { port } = await serve((_, answer) => answer.end('{}'));
  const options = { ca: authority.ca, named: true };
  await expect(fetchDocument(`https://other.test:${port}/`, options)).rejects.toThrow(/does not match certificate/);
  await expect(fetchDocument(`https://issuer.test:${port}/`, { ca: null, named: true })).rejects.toThrow(/certificate/);
});

test.each([301, 302, 303, 307, 308])('HTTP %i is not followed, neither inside nor elsewhere', async (status) => {
  const inside = await serve((_, answer) => answer.end('{"secret":1}'));
  const { port } = await serve((_, answer) =>
    answer.writeHead(status, { location: `https://issuer.test:${inside.port}/` }).end(),
  );
  await expect(fetchDocument(`https://issuer.test:${port}/`, { ca: authority.ca, named: true })).rejects.toThrow(
    `answered HTTP ${status}: redirects are not followed`,
  );
  expect(inside.connections()).toBe(0);
});

test('a URL that another document named never leads to what the config opened', async () => {
  const server = await serve((_, answer) => answer.end('{}'));
  const url = `https://issuer.test:${server.port}/`;
  await expect(fetchDocument(url, { ca: authority.ca, named: false })).rejects.toThrow(
    'the gateway may not connect to this address',
  );
  expect(server.connections()).toBe(0);
});

test.each<[string, RequestListener, RegExp]>([
  ['another status', (_, answer) => answer.writeHead(500).end('{}'), /answered HTTP 500/],
  ['65 KiB', (_, answer) => answer.end('x'.repeat(65 * 1024)), /more than 64 KiB/],
  ['a content encoding', (_, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end('x'), /Encoding/],
  ['something that is not UTF-8', (_, answer) => answer.end(Buffer.from([0xff])), /not UTF-8/],
  ['nothing for longer than 3 s', () => undefined, /abort|timed? ?out/i],
])('%s is refused', async (_, listener, why) => {
  const { port } = await serve(listener);
  const fetching = fetchDocument(`https://issuer.test:${port}/`, { ca: authority.ca, named: true });
  await expect(fetching).rejects.toThrow(why);
});

test.each<[string, Resolve, string]>([
  ['refuses connections', local, 'refuses connections'],
  ['may not be connected to', async () => [{ address: '10.66.77.88', family: 4 }], 'the gateway may not connect'],
  ['has no address', async (name) => Promise.reject(new Error(`${name} at 10.66.77.88`)), 'the connection failed'],
])('a host that %s is said to be so without a word of the network behind the gateway', async (_, resolve, says) => {
  const gone = await serve(() => undefined);
  await gone.close();
  const fetching = createFetchDocument(createEgress({ opened: openedRanges(['127.0.0.1']), resolve }))(
    `https://issuer.test:${gone.port}/`,
    { ca: null, named: true },
  );
  const fault = await fetching.catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(Error);
  expect(String(fault)).toContain(says);
  expect(inspect(fault)).not.toMatch(/127\.0\.0\.1|10\.66\.77\.88/);
});

/** Bodies that nobody should wait for, or read. */
const bodies: readonly [string, RequestListener][] = [
  ['of 65 KiB', (_, answer) => answer.end('x'.repeat(65 * 1024))],
  ['that never ends', (_, answer) => answer.write('x')],
  ['in an encoding', (_, answer) => answer.setHeader('content-encoding', 'gzip').end('x')],
  ['that is not UTF-8', (_, answer) => answer.end(Buffer.from([0xff]))],
];

test.each(bodies)(
  'an answer of another status is known by its status, and its body %s is not read',
  async (_, body) => {
    for (const status of [404, 500]) {
      const { port } = await serve((request, answer) => {
        answer.statusCode = status;
        body(request, answer);
      });
      const fetching = fetchDocument(`https://issuer.test:${port}/`, { ca: authority.ca, named: true });
      await expect(fetching).rejects.toThrow(`answered HTTP ${status}`);
    }
  },
);

describe('a form', () => {
  const postForm = createPostForm(createEgress({ opened: openedRanges(['127.0.0.1']), resolve: local }));
  const post = (port: number) =>
    postForm(`https://issuer.test:${port}/`, { ca: authority.ca, named: true }, { headers: {}, body: 'a=b' });

  test.each([200, 400, 401])('is answered by HTTP %i with a document', async (status) => {
    const { port } = await serve((_, answer) => answer.writeHead(status).end('{"error":"invalid_grant"}'));
    expect(await post(port)).toEqual({ status, text: '{"error":"invalid_grant"}' });
  });

  test.each(bodies)('is not answered by a fault with a body %s', async (_, body) => {
    const { port } = await serve((request, answer) => {
      answer.statusCode = 503;
      body(request, answer);
    });
    expect(await post(port)).toEqual({ status: 503, text: '' });
  });
});

test('only https is spoken', async () => {
  await expect(fetchDocument('http://issuer.test/', { ca: null, named: true })).rejects.toThrow('is not an https URL');
});
