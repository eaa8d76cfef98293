import { describe, expect, test } from 'vitest';
import { refuse } from '#gateway/core/refusals.ts';
import { authenticate } from '#gateway/phases/authenticate.ts';
import { aCall, anIdentity, legacyClient } from '#test/support/values.ts';

const revocations = { find: () => null };
const known = { tokens: { verify: () => anIdentity() }, revocations };
const session = { id: 's', principal: 'run:1', run: '1', view: 'default', client: legacyClient, opened: 0 };

describe('authenticate', () => {
  test('refuses a call without a token', () => {
    expect(authenticate(aCall({ token: null }), known)).toMatchObject({ refused: 'token_missing' });
  });

  test('learns who calls, at once when the token is known', () => {
    expect(authenticate(aCall(), known)).toMatchObject({ identity: { run: { id: '1' } } });
  });

  test('learns who calls later when the token is new', async () => {
    const ports = { tokens: { verify: () => Promise.resolve(anIdentity()) }, revocations };
    expect(await authenticate(aCall(), ports)).toMatchObject({ identity: { run: { id: '1' } } });
  });

  test('passes on why a token is refused', () => {
    const ports = { tokens: { verify: () => refuse('token_invalid', 'expired') }, revocations };
    expect(authenticate(aCall(), ports)).toMatchObject({ refused: 'token_invalid' });
  });

  test('refuses whom the token proves, when that was revoked', () => {
    const ports = { ...known, revocations: { find: () => refuse('run_revoked') } };
    expect(authenticate(aCall(), ports)).toMatchObject({ refused: 'run_revoked' });
  });

  test('accepts a session of the same run', () => {
    expect(authenticate(aCall({ session }), known)).toHaveProperty('identity');
  });

  test.each([
    ['run', { run: '2' }],
    ['principal', { principal: 'run:2' }],
  ])('does not know a session of another %s', (_, other) => {
    expect(authenticate(aCall({ session: { ...session, ...other } }), known)).toMatchObject({
      refused: 'session_unknown',
    });
  });
});
