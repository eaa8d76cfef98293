import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RevocationKind } from '#gateway/core/revocation.ts';
import { aRedemption } from '#test/support/redemption.ts';
import { type Handle, linesOf, type MakeStore, type StoreUnderTest } from './store.ts';

export function describeRuns(makeStore: MakeStore): void {
  describe('runs', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    const redeem = (over: Parameters<typeof aRedemption>[0] = {}) => handle.runs.redeem(aRedemption(over));
    const revoke = (kind: RevocationKind, subject: string, at = 2000, until: number | null = null) =>
      handle.runs.revoke({ kind, subject, at, until, by: 'grace' });

    it('redeems a token once, also after a restart', async () => {
      expect(redeem()).toEqual({ state: 'open', deadline: 1_000_000 });
      expect(redeem()).toEqual({ state: 'used' });
      handle.close();
      handle = store.open();
      expect(redeem()).toEqual({ state: 'used' });
    });

    it('redeems a token that may be used again each time', () => {
      expect(redeem({ use: null }).state).toBe('open');
      expect(redeem({ use: null }).state).toBe('open');
    });

    it('forgets a redeemed token when it could not come again', () => {
      redeem({ use: 'one', until: 5000 });
      redeem({ use: 'other', now: 6000 });
      expect(redeem({ use: 'one', now: 6000 }).state).toBe('open');
    });

    it('keeps the deadline that a run was opened with', () => {
      redeem();
      expect(redeem({ use: 'b', deadline: 9_000_000 })).toEqual({ state: 'open', deadline: 1_000_000 });
    });

    it('opens no run a second time when it is over', () => {
      redeem();
      expect(redeem({ use: 'b', now: 999_500, deadline: 9_000_000 })).toEqual({ state: 'over' });
      expect(redeem({ use: 'c', now: 2_000_000, deadline: 9_000_000 })).toEqual({ state: 'over' });
    });

    it('knows no run of the same name under another rule or issuer, and leaves the token unused', () => {
      redeem();
      expect(redeem({ use: 'b', rule: 'other' })).toEqual({ state: 'foreign' });
      expect(redeem({ use: 'b', issuer: 'https://other.test' })).toEqual({ state: 'foreign' });
      expect(redeem({ use: 'b' }).state).toBe('open');
    });

    it('renews only what was opened', () => {
      expect(redeem({ renewal: true })).toEqual({ state: 'over' });
      redeem();
      expect(redeem({ use: 'b', renewal: true, deadline: 0 })).toEqual({ state: 'open', deadline: 1_000_000 });
    });

    it('refuses a revoked run for good', () => {
      revoke('run', 'ci:r1');
      expect(redeem({ now: 3000, issued: 3000 })).toEqual({ state: 'revoked' });
      expect(redeem({ use: 'b', run: 'ci:r2' }).state).toBe('open');
    });

    it('refuses of a revoked rule and issuer what was issued until then', () => {
      revoke('rule', 'ci');
      expect(redeem({ issued: 2000 })).toEqual({ state: 'revoked' });
      expect(redeem({ issued: 2001 }).state).toBe('open');
      revoke('issuer', 'https://ci.test', 4000);
      expect(redeem({ use: 'b', issued: 4000 })).toEqual({ state: 'revoked' });
      expect(redeem({ use: 'c', issued: 4001 }).state).toBe('open');
    });

    it.each<[RevocationKind, string]>([
      ['token', 'https://gw.test j1'],
      ['key', 'k1'],
    ])('refuses what is redeemed with a revoked %s, whenever it was issued', (kind, subject) => {
      const names = [[kind, subject]] as const;
      revoke(kind, `${subject}x`);
      expect(redeem({ names, issued: 9000 }).state).toBe('open');
      revoke(kind, subject);
      expect(redeem({ use: 'b', names, issued: 9000 })).toEqual({ state: 'revoked' });
    });

    it('never moves a revocation back', () => {
      revoke('rule', 'ci', 5000);
      expect(revoke('rule', 'ci', 3000).at).toBe(5000);
    });

    it('tells other handles what is new, in order, and a repeated revocation again', () => {
      const other = store.open();
      revoke('run', 'a');
      revoke('run', 'b');
      const [first, second] = other.runs.revocationsAfter(0);
      expect([first?.subject, second?.subject]).toEqual(['a', 'b']);
      expect(other.runs.revocationsAfter(second?.seq ?? 0)).toEqual([]);
      revoke('run', 'a', 3000);
      expect(other.runs.revocationsAfter(second?.seq ?? 0)).toMatchObject([{ subject: 'a', at: 3000, by: 'grace' }]);
    });

    it('forgets a revocation when nothing that it could hit is alive', () => {
      revoke('token', 'a', 2000, 5000);
      revoke('run', 'b', 6000);
      expect(handle.runs.revocationsAfter(0).map(({ subject }) => subject)).toEqual(['b']);
    });

    it('redeems a token once in several processes at the same time', async () => {
      const children = Array.from({ length: 3 }, () => store.spawn('redeem'));
      const lines = children.map(linesOf);
      await Promise.all(lines.map((next) => next()));
      for (let n = 0; n < 20; n++) {
        for (const child of children) child.stdin?.write(`token-${n}\n`);
        const said = await Promise.all(lines.map((next) => next()));
        expect(said.sort()).toEqual(['open', 'used', 'used']);
      }
    });
  });
}
