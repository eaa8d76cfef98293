import { describe, expect, test } from 'vitest';
import { refuse } from '#gateway/core/refusals.ts';
import { authenticate } from '#gateway/phases/authenticate.ts';
import { aCall, anIdentity, legacyClient } from '#test/support/values.ts';

const revocations = { find: () => null };
const proofs = { verify: () => refuse('fault') };
const sessions = { enter: () => null };
const known = { tokens: { verify: () => anIdentity() }, proofs, revocations, sessions };
const session = { id: 's', principal: 'run:1', run: '1', view: 'default', client: legacyClient, opened: 0 };

describe('authenticate', () => {
  test('refuses a call without a token', () => {
    expect(authenticate(aCall({ token: null }), known)).toMatchObject({ refused: 'token_missing' });
  });

  test('learns who calls, at once when the token is known', () => {
    expect(authenticate(aCall(), known)).toMatchObject({ identity: { run: { id: '1' } } });
  });

  test('learns who calls later when the token is new', async () => {
    const ports = { tokens: { verify: () => Promise.resolve(anIdentity()) }, proofs, revocations, sessions };
    expect(await authenticate(aCall(), ports)).toMatchObject({ identity: { run: { id: '1' } } });
  });

  test('passes on why a token is refused', () => {
    const ports = { tokens: { verify: () => refuse('token_invalid', 'expired') }, proofs, revocations, sessions };
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
  ])('does not know a session of another %s, which hears nothing of it', (_, other) => {
    const untouched = {
      ...known,
      sessions: {
        enter(): never {
          throw new Error('a session heard of who is not its own');
        },
      },
    };
    expect(authenticate(aCall({ session: { ...session, ...other } }), untouched)).toMatchObject({
      refused: 'session_unknown',
    });
    expect(authenticate(aCall({ session, token: null }), untouched)).toMatchObject({ refused: 'token_missing' });
  });

  test('says why a session of the same run does not take the call', () => {
    const ports = { ...known, sessions: { enter: () => refuse('overloaded') } };
    expect(authenticate(aCall({ session }), ports)).toMatchObject({ refused: 'overloaded' });
  });

  describe('of a token that is bound to a key', () => {
    const bound = anIdentity({ token: { ...anIdentity().token, boundTo: 'k' } });
    const proof = { proof: 'p', method: 'POST', path: '/mcp' };
    const ports = { ...known, tokens: { verify: () => bound } };

    test('of a revoked run looks at no proof', () => {
      let looked = 0;
      const verify = () => {
        looked++;
        return 'k';
      };
      const revoked = { ...ports, proofs: { verify }, revocations: { find: () => refuse('run_revoked') } };
      expect(authenticate(aCall({ proof }), revoked)).toMatchObject({ refused: 'run_revoked' });
      expect(looked).toBe(0);
    });

    test('refuses one that comes alone, as "Bearer"', () => {
      expect(authenticate(aCall({ proof: null }), ports)).toMatchObject({ refused: 'proof_missing' });
    });

    test('asks for the proof with this very token each time, and passes on why it is none', () => {
      const asked: unknown[] = [];
      const verify = (...all: unknown[]) => {
        asked.push(all);
        return refuse('proof_invalid');
      };
      const call = aCall({ token: 't', proof });
      expect(authenticate(call, { ...ports, proofs: { verify } })).toMatchObject({ refused: 'proof_invalid' });
      expect(asked).toEqual([[proof, { token: 't', boundTo: 'k', share: bound.principal.id }, call.at]]);
    });

    test('learns who calls when the key was shown', async () => {
      const shown = { ...ports, proofs: { verify: () => Promise.resolve('k') } };
      expect(await authenticate(aCall({ proof }), shown)).toMatchObject({ identity: bound });
    });

    test('asks for no proof where nobody acts', () => {
      expect(authenticate(aCall({ proof: null, dryRun: true }), ports)).toMatchObject({ identity: bound });
    });
  });

  test('refuses a token that is bound to no key, when it comes as one that is', () => {
    const proof = { proof: 'p', method: 'POST', path: '/mcp' };
    expect(authenticate(aCall({ proof }), known)).toMatchObject({ refused: 'proof_invalid' });
  });
});
