import { afterEach, expect, test } from 'vitest';
import { type AdminServer, createAdminServer } from '#gateway/adapters/http/admin.ts';
import { sendRaw } from '#test/support/raw-http.ts';

let server: AdminServer | undefined;
afterEach(() => server?.close());

async function start(host: string, unready: string | null = null): Promise<string> {
  server = createAdminServer({
    host,
    unready: () => unready,
    detail: () => ({ revision: 'r1' }),
    metrics: async () => ({ contentType: 'text/plain', text: 'a 1\n' }),
  });
  return `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
}

test('says that it lives, and whether calls can be taken', async () => {
  const origin = await start('127.0.0.1', 'servers are being asked');
  expect((await fetch(`${origin}/livez`)).status).toBe(200);
  const ready = await fetch(`${origin}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'unready', why: 'servers are being asked', revision: 'r1' },
  ]);
});

test('is not to be read on loopback under a name that a web page chose', async () => {
  const origin = await start('127.0.0.1');
  expect((await sendRaw(origin, ['GET /metrics HTTP/1.1', 'Host: evil.example', 'Connection: close'])).status).toBe(
    403,
  );
  expect((await sendRaw(origin, ['GET /metrics HTTP/1.1', 'Host: localhost', 'Connection: close'])).body).toBe('a 1\n');
});

test('answers probes under any address where it does not listen on loopback', async () => {
  const origin = await start('0.0.0.0');
  expect((await sendRaw(origin, ['GET /readyz HTTP/1.1', 'Host: 10.1.2.3:7411', 'Connection: close'])).status).toBe(
    200,
  );
});
