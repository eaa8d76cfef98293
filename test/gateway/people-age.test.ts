import { afterEach, expect, test, vi } from 'vitest';
import { startGateway } from '#test/support/gateway.ts';
import { startIssuer } from '#test/support/issuer.ts';
import { openSession, reasonOf } from '#test/support/messages.ts';

const resource = 'http://127.0.0.1:7410/mcp';

afterEach(() => void vi.useRealTimers());

test('an access token older than max_age is refused, also one that was good a moment ago', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const issuer = await startIssuer();
  const keys = { ca: issuer.caFile };
  const people = [{ id: 'idp', issuer: issuer.url, audience: resource, keys, verify: { typ: 'JWT', max_age: '10m' } }];
  const sekisho = await startGateway({ identity: { people } });
  const iat = Math.floor(Date.now() / 1000);
  const token = await issuer.sign({ iss: issuer.url, aud: resource, sub: 'ada', iat, exp: iat + 36_000 });
  expect((await openSession(sekisho, { token })).agreed.status).toBe(200);
  vi.setSystemTime((iat + 599) * 1000);
  expect((await openSession(sekisho, { token })).agreed.status).toBe(200);
  vi.setSystemTime((iat + 600) * 1000);
  const { agreed } = await openSession(sekisho, { token });
  expect([agreed.status, reasonOf(agreed)]).toEqual([401, 'token_invalid']);
  await sekisho.close();
  await issuer.close();
});
