import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BudgetLimits, Cost, Reservation } from '#gateway/core/budget.ts';
import { allLines, type Handle, linesOf, type MakeStore, type StoreUnderTest } from './store.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
/** What an adapter may hold of one run in one process: the most that a kill -9 may lose. */
const slice = { calls: 1024, bytes: 4 * MiB };
/** Of a limit of 1,000 calls a slice is this many. */
const sliceOfThousand = 20;
const unlimited: BudgetLimits = { calls: null, bytes: null };
const oneCall: Cost = { calls: 1, bytes: 0 };

export function describeBudgets(makeStore: MakeStore): void {
  describe('budgets', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    const restart = (): void => {
      handle.close();
      handle = store.open();
    };
    const used = async (limits: BudgetLimits = unlimited, run = 'run-1') => {
      const { calls, bytes } = await handle.budgets.spending(run, limits);
      return { calls: calls.used, bytes: bytes.used };
    };
    const take = async (limits: BudgetLimits, cost = oneCall, run = 'run-1'): Promise<Reservation> => {
      const reservation = await handle.budgets.reserve(run, cost, limits);
      if (reservation === 'spent') throw new Error('spent');
      return reservation;
    };
    const takeAll = async (limits: BudgetLimits, cost = oneCall, run = 'run-1'): Promise<number> => {
      for (let taken = 0; ; taken++) if ((await handle.budgets.reserve(run, cost, limits)) === 'spent') return taken;
    };

    it('gives a run its calls and not one more', async () => {
      expect(await takeAll({ calls: 130, bytes: null })).toBe(130);
      expect(await used()).toEqual({ calls: 130, bytes: 0 });
    });

    it('gives a run its bytes and not one more', async () => {
      const limits = { calls: null, bytes: 10 * KiB };
      await take(limits, { calls: 1, bytes: 10 * KiB - 1 });
      expect(await handle.budgets.reserve('run-1', { calls: 1, bytes: 2 }, limits)).toBe('spent');
      await take(limits, { calls: 1, bytes: 1 });
      expect(await handle.budgets.reserve('run-1', { calls: 1, bytes: 1 }, limits)).toBe('spent');
    });

    it('lets exactly one of 100 parallel calls through when one is left', async () => {
      const limits = { calls: 8, bytes: null };
      await take(limits, { calls: 7, bytes: 0 });
      const other = store.open();
      const reservations = await Promise.all(
        Array.from({ length: 100 }, async (_, n) => (n % 2 ? handle : other).budgets.reserve('run-1', oneCall, limits)),
      );
      expect(reservations.filter((reservation) => reservation !== 'spent')).toHaveLength(1);
    });

    it('says what is used with the limits it was asked with', async () => {
      const limits = { calls: 10, bytes: MiB };
      expect(await handle.budgets.spending('run-1', limits)).toEqual({
        calls: { used: 0, limit: 10 },
        bytes: { used: 0, limit: MiB },
      });
      await take(limits, { calls: 1, bytes: 300 });
      expect(await handle.budgets.spending('run-1', limits)).toEqual({
        calls: { used: 1, limit: 10 },
        bytes: { used: 300, limit: MiB },
      });
    });

    it('keeps runs apart', async () => {
      expect(await takeAll({ calls: 2, bytes: null }, oneCall, 'run-1')).toBe(2);
      expect(await takeAll({ calls: 2, bytes: null }, oneCall, 'run-1:x')).toBe(2);
      expect(await used(unlimited, 'run-')).toEqual({ calls: 0, bytes: 0 });
    });

    it('settles what was really spent: less comes back, more is counted', async () => {
      const limits = { calls: 10, bytes: MiB };
      const less = await take(limits, { calls: 1, bytes: 500 });
      const more = await take(limits, { calls: 1, bytes: 10 });
      await handle.budgets.settle(less, { calls: 1, bytes: 200 });
      await handle.budgets.settle(more, { calls: 1, bytes: 300_000 });
      expect(await used()).toEqual({ calls: 2, bytes: 300_200 });
      restart();
      expect(await used()).toEqual({ calls: 2, bytes: 300_200 });
    });

    it('gives the call back that was reserved and never forwarded', async () => {
      const limits = { calls: 1, bytes: 100 };
      await handle.budgets.settle(await take(limits, { calls: 1, bytes: 100 }), { calls: 0, bytes: 0 });
      expect(await takeAll(limits, { calls: 1, bytes: 100 })).toBe(1);
    });

    it('counts an answer that pushes the run over its limit, and then says spent', async () => {
      const limits = { calls: 10, bytes: MiB };
      await handle.budgets.settle(await take(limits, { calls: 1, bytes: 10 }), { calls: 1, bytes: 3 * MiB });
      expect(await used()).toEqual({ calls: 1, bytes: 3 * MiB });
      expect(await handle.budgets.reserve('run-1', { calls: 1, bytes: 0 }, limits)).toBe('spent');
      restart();
      expect(await handle.budgets.reserve('run-1', { calls: 1, bytes: 0 }, limits)).toBe('spent');
    });

    it('says spent to a call without bytes too once the bytes are over', async () => {
      const limits = { calls: null, bytes: MiB };
      await handle.budgets.settle(await take(limits, { calls: 1, bytes: 10 }), { calls: 1, bytes: MiB + 1 });
      expect(await handle.budgets.reserve('run-1', { calls: 1, bytes: 0 }, limits)).toBe('spent');
    });

    it('settles once, and only what it reserved itself', async () => {
      const limits = { calls: 10, bytes: MiB };
      const reservation = await take(limits, { calls: 1, bytes: 500 });
      await handle.budgets.settle(reservation, { calls: 0, bytes: 0 });
      await handle.budgets.settle(reservation, { calls: 0, bytes: 0 });
      await handle.budgets.settle({ run: 'run-1', reserved: { calls: 9, bytes: 9 } }, { calls: 0, bytes: 0 });
      expect(await used()).toEqual({ calls: 0, bytes: 0 });
    });

    it.each([
      { calls: -1, bytes: 0 },
      { calls: 1, bytes: -5 },
      { calls: Number.NaN, bytes: 0 },
      { calls: 1, bytes: 0.5 },
      { calls: Number.POSITIVE_INFINITY, bytes: 0 },
    ])('takes no cost of $calls calls and $bytes bytes', async (cost) => {
      const limits = { calls: 10, bytes: MiB };
      await expect((async () => handle.budgets.reserve('run-1', cost, limits))()).rejects.toThrow(RangeError);
      const reservation = await take(limits);
      await expect((async () => handle.budgets.settle(reservation, cost))()).rejects.toThrow(RangeError);
      expect(await used()).toEqual({ calls: 1, bytes: 0 });
    });

    it('counts a run that has no limits too, also over a restart', async () => {
      const reservation = await take(unlimited, { calls: 1, bytes: 5 * MiB });
      await take(unlimited, { calls: 1, bytes: 7 });
      await handle.budgets.settle(reservation, { calls: 1, bytes: 9 * MiB });
      expect(await used()).toEqual({ calls: 2, bytes: 9 * MiB + 7 });
      restart();
      expect(await used()).toEqual({ calls: 2, bytes: 9 * MiB + 7 });
    });

    it('writes what an unlimited run used within a moment, for others to see', async () => {
      const quick = store.open({ sweepMs: 5 });
      await quick.budgets.reserve('run-1', { calls: 3, bytes: 4 }, unlimited);
      const written = async (): Promise<void> => {
        // Keeps the run in use: an idle one would be written for being idle.
        await quick.budgets.reserve('run-1', { calls: 0, bytes: 0 }, unlimited);
        expect(await used()).toEqual({ calls: 3, bytes: 4 });
      };
      await vi.waitFor(written, { timeout: 10_000 });
    });

    it('does not refill a budget when the gateway starts again', async () => {
      const limits = { calls: 100, bytes: MiB };
      let taken = 0;
      for (let start = 0; start < 10; start++) {
        for (let n = 0; n < 7; n++) await take(limits);
        taken += 7;
        restart();
        expect(await used()).toEqual({ calls: taken, bytes: 0 });
      }
      expect(await takeAll(limits)).toBe(30);
      restart();
      expect(await takeAll(limits)).toBe(0);
    });

    it('holds a limit that was lowered in the middle of a run, and one that was raised', async () => {
      for (let n = 0; n < 5; n++) await take({ calls: 5000, bytes: null });
      expect(await takeAll({ calls: 8, bytes: null })).toBe(3);
      expect(await takeAll({ calls: 12, bytes: null })).toBe(4);
      expect(await takeAll({ calls: 3, bytes: null })).toBe(0);
      await take(unlimited);
      expect(await takeAll({ calls: 14, bytes: null })).toBe(1);
      expect(await used()).toEqual({ calls: 14, bytes: 0 });
    });

    it('gives back the slice of a run that went idle, so that another process can spend it', async () => {
      const limits = { calls: 100, bytes: null };
      const idle = store.open({ sweepMs: 5 });
      await idle.budgets.reserve('run-1', oneCall, limits);
      expect(await takeAll(limits)).toBe(98);
      await vi.waitFor(async () => expect(await takeAll(limits)).toBe(1), { timeout: 10_000 });
    });

    it('holds few runs in memory and still counts every one, also those with calls under way', async () => {
      const limits = { calls: 100, bytes: MiB };
      const small = store.open({ runsInMemory: 3 });
      const reservations: Reservation[] = [];
      for (let round = 0; round < 3; round++) {
        for (let run = 0; run < 10; run++) {
          const reservation = await small.budgets.reserve(`run-${run}`, { calls: 1, bytes: 100 }, limits);
          if (reservation !== 'spent') reservations.push(reservation);
        }
      }
      for (const reservation of reservations) await small.budgets.settle(reservation, { calls: 1, bytes: 200_000 });
      for (let run = 0; run < 10; run++) {
        const { calls, bytes } = await small.budgets.spending(`run-${run}`, limits);
        expect([calls.used, bytes.used]).toEqual([3, 600_000]);
      }
      small.close();
      for (let run = 0; run < 10; run++) expect(await used(limits, `run-${run}`)).toEqual({ calls: 3, bytes: 600_000 });
    });

    it('never lets two processes spend more than the limit, and together all of it', async () => {
      const children = [store.spawn('spend', 'run-1', '1000'), store.spawn('spend', 'run-1', '1000')];
      const lines = await Promise.all(children.map(allLines));
      const reserved = lines.flat().filter((line) => line === 'reserved').length;
      expect(reserved).toBeLessThanOrEqual(1000);
      expect(reserved).toBeGreaterThanOrEqual(1000 - 2 * sliceOfThousand);
      expect(await used()).toEqual({ calls: reserved, bytes: reserved * 1000 });
      expect(await takeAll({ calls: 1000, bytes: null })).toBe(1000 - reserved);
    });

    it('gives one of two processes the last call, 50 times', async () => {
      const racers = [store.spawn('reserve'), store.spawn('reserve')];
      const next = racers.map(linesOf);
      expect(await Promise.all(next.map((line) => line()))).toEqual(['ready', 'ready']);
      for (let round = 0; round < 50; round++) {
        for (const racer of racers) racer.stdin?.write(`race-${round}\n`);
        expect((await Promise.all(next.map((line) => line()))).toSorted()).toEqual(['reserved', 'spent']);
      }
    });

    it('loses a slice at most, and never refills, when a process is killed while it spends, 20 times', async () => {
      const limits = { calls: 100_000, bytes: 1024 * MiB };
      for (let round = 0; round < 20; round++) {
        const before = await used(limits);
        const child = store.spawn('spend', 'run-1', `${limits.calls}`, `${limits.bytes}`);
        const next = linesOf(child);
        const count = { reserved: 0, settled: 0 };
        const enough = 1 + round * 29;
        for (let line = await next(); line !== null; line = await next()) {
          count[line as keyof typeof count] += 1;
          if (count.reserved === enough) child.kill('SIGKILL');
        }
        const after = await used(limits);
        const calls = after.calls - before.calls;
        const bytes = after.bytes - before.bytes;
        expect(calls).toBeGreaterThanOrEqual(count.reserved);
        expect(calls).toBeLessThanOrEqual(count.reserved + slice.calls);
        expect(bytes).toBeGreaterThanOrEqual(count.settled * 1000);
        expect(bytes).toBeLessThanOrEqual((count.settled + 2) * 1000 + slice.bytes);
      }
      store.check();
    });
  });
}
