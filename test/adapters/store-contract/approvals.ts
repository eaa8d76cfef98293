import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApprovalAnswer } from '#gateway/core/approval.ts';
import { anApprovalRequest } from '#test/support/approval-request.ts';
import { type Handle, linesOf, type MakeStore, type StoreUnderTest } from './store.ts';

const yes = { state: 'approved', by: 'grace', why: null } as const;
const no = { state: 'declined', by: 'grace', why: 'not on a Friday' } as const;

const idOf = (answer: ApprovalAnswer): string => {
  if (answer.state === 'full') throw new Error('no approval was written');
  return answer.id;
};

export function describeApprovals(makeStore: MakeStore): void {
  describe('approvals', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    const consume = async (call: string, changes?: Parameters<typeof anApprovalRequest>[1]) =>
      await handle.approvals.consume(anApprovalRequest(call, changes));
    const askedId = async (call: string, changes?: Parameters<typeof anApprovalRequest>[1]) =>
      idOf(await consume(call, changes));
    const decide = async (id: string, verdict: typeof yes | typeof no, now = 1500) =>
      await handle.approvals.decide(id, verdict, now);

    it('writes a pending approval for a call it has not seen, with all that was asked', async () => {
      const request = anApprovalRequest('move', { notRequester: true });
      const answer = await handle.approvals.consume(request);
      expect(answer).toEqual({ state: 'pending', id: idOf(answer), expires: 2000, why: null });
      const written = await handle.approvals.find(idOf(answer), 1500);
      expect(written).toEqual({ ...request, id: idOf(answer), state: 'pending', decidedBy: null, why: null });
    });

    it('names the approval that is pending already instead of writing another', async () => {
      const first = await consume('move');
      expect(await consume('move', { asked: 1999, expires: 9000 })).toEqual(first);
      expect(await handle.approvals.list(null, 1999)).toHaveLength(1);
    });

    it('makes ids that nobody can guess', async () => {
      const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => askedId(`call-${n}`)));
      expect(new Set(ids).size).toBe(50);
      for (const id of ids) expect(id).toMatch(/^ap_[0-9a-z]{26}$/);
    });

    it('grants an approved call once, and asks anew for the next one', async () => {
      const id = await askedId('move');
      expect(await decide(id, yes)).toBe('decided');
      expect(await consume('move')).toEqual({ state: 'granted', id, by: 'grace' });
      const again = await consume('move');
      expect(again.state).toBe('pending');
      expect(idOf(again)).not.toBe(id);
      expect((await handle.approvals.find(id, 1500))?.state).toBe('consumed');
    });

    describe('held for a call whose server asked for something', () => {
      let id: string;
      beforeEach(async () => {
        id = await askedId('move');
        await decide(id, yes);
      });
      const resume = async (leg: string, now = 1500, of = id) => await handle.approvals.resume(of, leg, now);

      it('lets the next leg go on once, also through another handle', async () => {
        await consume('move');
        await handle.approvals.hold(id, 'leg-1', 2000);
        handle.close();
        handle = store.open();
        expect([await resume('leg-1'), await resume('leg-1')]).toEqual([true, false]);
        await handle.approvals.hold(id, 'leg-2', 2000);
        expect([await resume('leg-1'), await resume('leg-2')]).toEqual([false, true]);
      });

      it('lets no other leg, no other approval and nobody too late go on', async () => {
        await consume('move');
        await handle.approvals.hold(id, 'leg-1', 2000);
        expect([await resume('leg-2'), await resume('leg-1', 1500, 'ap_x'), await resume('leg-1', 2001)]).toEqual([
          ...[false, false, false],
        ]);
        expect(await resume('leg-1', 2000)).toBe(true);
      });

      it('is nothing where no call consumed it', async () => {
        await handle.approvals.hold(id, 'leg-1', 2000);
        expect(await resume('leg-1')).toBe(false);
      });
    });

    it('grants nothing to another call', async () => {
      await decide(await askedId('move'), yes);
      expect((await consume('move-other-arguments')).state).toBe('pending');
    });

    it('grants nothing to a call that has the digest of another but is bound to something else', async () => {
      await decide(await askedId('move'), yes);
      await expect(consume('move', { binding: { run: 'run-2' } })).rejects.toThrow('bound to another call');
      expect((await consume('move')).state).toBe('granted');
    });

    it('says why a call was declined, again and again until it would have expired, then asks anew', async () => {
      const id = await askedId('move');
      await decide(id, no);
      const declined = { state: 'declined', id, expires: 2000, why: 'not on a Friday' };
      expect(await consume('move')).toEqual(declined);
      expect(await consume('move', { asked: 1999 })).toEqual(declined);
      const anew = await consume('move', { asked: 2000, expires: 3000 });
      expect(anew.state).toBe('pending');
      expect(idOf(anew)).not.toBe(id);
    });

    it.each([
      ['nobody decided', async () => {}, 'not decided in time'],
      ['it was approved and not used', (id: string) => decide(id, yes), 'approved, not used in time'],
    ])('says once that an approval expired when %s, then asks anew', async (_, before, why) => {
      const id = await askedId('move');
      await before(id);
      const late = { asked: 2000, expires: 3000 };
      expect(await consume('move', late)).toEqual({ state: 'expired', id, expires: 2000, why });
      const anew = await consume('move', late);
      expect(anew).toEqual({ state: 'pending', id: idOf(anew), expires: 3000, why: null });
      expect(idOf(anew)).not.toBe(id);
    });

    it('does not let an approval that expired be decided', async () => {
      const id = await askedId('move');
      expect(await decide(id, yes, 2000)).toBe('expired');
      expect((await consume('move', { asked: 2000, expires: 3000 })).state).toBe('expired');
    });

    it.each([
      ['approved', yes],
      ['declined', no],
    ] as const)('keeps the first decision: what was %s cannot be decided again', async (state, verdict) => {
      const id = await askedId('move');
      await decide(id, verdict);
      expect(await decide(id, yes)).toBe(state);
      expect(await decide(id, no)).toBe(state);
      expect(await handle.approvals.find(id, 1500)).toMatchObject({ state, decidedBy: 'grace', why: verdict.why });
    });

    it('does not let a consumed approval be decided, nor one that was never asked for', async () => {
      const id = await askedId('move');
      await decide(id, yes);
      await consume('move');
      expect(await decide(id, no)).toBe('consumed');
      expect(await decide('ap_00000000000000000000000000', yes)).toBe('unknown');
    });

    it('does not let who asked decide when the policy wants somebody else', async () => {
      const id = await askedId('move', { notRequester: true });
      for (const verdict of [yes, no]) {
        expect(await handle.approvals.decide(id, { ...verdict, by: 'ada' }, 1500)).toBe('requester');
      }
      expect((await consume('move')).state).toBe('pending');
      expect(await decide(id, yes)).toBe('decided');
    });

    it('lets who asked decide when the policy does not mind', async () => {
      const id = await askedId('move');
      expect(await handle.approvals.decide(id, { ...yes, by: 'ada' }, 1500)).toBe('decided');
    });

    it('lists by state, newest first, and shows what is overdue as expired', async () => {
      const pending = await askedId('one', { expires: 5000 });
      const overdue = await askedId('two');
      const unused = await askedId('three');
      await decide(unused, yes);
      const approved = await askedId('four', { expires: 5000 });
      await decide(approved, yes);
      const ids = async (state: Parameters<Handle['approvals']['list']>[0]) =>
        (await handle.approvals.list(state, 2000)).map((approval) => [approval.id, approval.state]);
      expect(await ids('pending')).toEqual([[pending, 'pending']]);
      expect(await ids('approved')).toEqual([[approved, 'approved']]);
      expect(await ids('expired')).toEqual([
        [unused, 'expired'],
        [overdue, 'expired'],
      ]);
      expect((await ids(null)).map(([id]) => id)).toEqual([approved, unused, overdue, pending]);
      expect((await handle.approvals.find(overdue, 2000))?.state).toBe('expired');
      expect(await handle.approvals.find('ap_00000000000000000000000000', 2000)).toBeNull();
    });

    it('writes no more than 100 pending approvals for one run, until some are decided or overdue', async () => {
      const ids: string[] = [];
      for (let n = 0; n < 100; n++) ids.push(await askedId(`call-${n}`));
      expect(await consume('one-more')).toEqual({ state: 'full', waiting: 100 });
      expect(await consume('call-7')).toMatchObject({ state: 'pending', id: ids[7] });
      expect((await consume('other', { binding: { run: 'run-2' } })).state).toBe('pending');
      expect(await handle.approvals.list(null, 1500)).toHaveLength(101);
      await decide(ids[0] ?? '', no);
      expect((await consume('one-more')).state).toBe('pending');
      expect((await consume('yet-another')).state).toBe('full');
      expect((await consume('yet-another', { asked: 2000, expires: 3000 })).state).toBe('pending');
    });

    it('keeps what is over for a month, then forgets it', async () => {
      const month = 30 * 86_400_000;
      const id = await askedId('move');
      await askedId('copy', { asked: 2000 + month, expires: 3000 + month });
      expect((await handle.approvals.find(id, 2000 + month))?.state).toBe('expired');
      await askedId('delete', { asked: 2001 + month, expires: 3000 + month });
      expect(await handle.approvals.find(id, 2001 + month)).toBeNull();
      expect(await handle.approvals.list('pending', 2001 + month)).toHaveLength(2);
    });

    it('keeps approvals over a restart', async () => {
      const id = await askedId('move');
      await decide(id, yes);
      handle.close();
      handle = store.open();
      expect(await consume('move')).toEqual({ state: 'granted', id, by: 'grace' });
      handle.close();
      handle = store.open();
      expect((await consume('move')).state).toBe('pending');
    });

    it('keeps arguments as they were sent, whatever text they hold', async () => {
      const args = {
        q: `'; DROP TABLE approval; --`,
        nul: 'a\u0000b',
        e: 'é\u2028\ud83d\ude00',
        deep: [[{ x: null }]],
        n: -1.5,
      };
      const id = await askedId('move', { arguments: args });
      expect((await handle.approvals.find(id, 1500))?.arguments).toEqual(args);
    });

    it('grants an approval to one of two processes that race for it, 50 times', async () => {
      const racers = [store.spawn('consume'), store.spawn('consume')];
      const next = racers.map(linesOf);
      expect(await Promise.all(next.map((line) => line()))).toEqual(['ready', 'ready']);
      for (let round = 0; round < 50; round++) {
        await decide(await askedId(`round-${round}`, { binding: { run: 'run-1' } }), yes);
        for (const racer of racers) racer.stdin?.write(`round-${round}\n`);
        const states = await Promise.all(next.map((line) => line()));
        expect(states.toSorted()).toEqual(['granted', 'pending']);
        // The loser asked anew: out of the way, so that the run's pending ones do not pile up.
        await decide(await askedId(`round-${round}`), no);
      }
    });

    it('loses nothing it acknowledged, and grants nothing twice, when a process is killed at work, 24 times', async () => {
      for (let round = 0; round < 24; round++) {
        // Every other round nobody else has the store open, so that what the killed one left has to be recovered.
        if (round % 2 === 0) handle.close();
        const child = store.spawn('churn', `round-${round}`);
        const next = linesOf(child);
        const said: string[] = [];
        const enough = 1 + ((round * 7) % 23);
        for (let line = await next(); line !== null; line = await next()) {
          said.push(line);
          if (said.length === enough) child.kill('SIGKILL');
        }
        expect(said.length).toBeGreaterThanOrEqual(enough);
        if (round % 2 === 0) handle = store.open();
        await expectAcknowledged(`round-${round}`, said);
      }
      store.check();
    });

    async function expectAcknowledged(prefix: string, said: readonly string[]): Promise<void> {
      const last = new Map(said.map((line) => [line.split(' ')[1] ?? '', line.split(' ')]));
      for (const [n, [word, , id = '']] of last) {
        const found = await handle.approvals.find(id, 1500);
        const possible = { asked: ['pending', 'approved'], approved: ['approved', 'consumed'], granted: ['consumed'] };
        expect(possible[word as keyof typeof possible]).toContain(found?.state);
        const records = (await handle.approvals.list(null, 1500)).filter(({ call }) => call === found?.call);
        expect(records).toHaveLength(1);
        const call = `${prefix}-${n}`;
        const expected = { pending: 'pending', approved: 'granted', consumed: 'pending' }[String(found?.state)];
        const answer = await consume(call, { binding: { run: call } });
        expect(answer.state).toBe(expected);
        if (found?.state === 'consumed') expect(idOf(answer)).not.toBe(id);
      }
    }
  });
}
