import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BudgetLimits, Cost, Reservation } from '#gateway/core/budget.ts';
import type { MakeStore } from './store.ts';

const limitsOfRuns: readonly BudgetLimits[] = [
  { calls: 5, bytes: null },
  { calls: 300, bytes: 2_000_000 },
  { calls: null, bytes: 500_000 },
  { calls: 0, bytes: 0 },
  { calls: null, bytes: null },
];

const cost = (bytes: number) => fc.record({ calls: fc.nat({ max: 3 }), bytes: fc.nat({ max: bytes }) });
const run = fc.integer({ min: 0, max: 4 });
const reserve = fc.record({ op: fc.constant('reserve' as const), run, limits: run, cost: cost(200_000) });
const settle = fc.record({ op: fc.constant('settle' as const), nth: fc.nat(), cost: cost(900_000) });
const restart = fc.record({ op: fc.constant('restart' as const) });
const steps = fc.array(fc.oneof({ arbitrary: reserve, weight: 6 }, { arbitrary: settle, weight: 4 }, restart), {
  maxLength: 80,
});

/** The whole of what a budget is. */
const fits = (used: Cost, asked: Cost, { calls, bytes }: BudgetLimits): boolean =>
  used.calls + asked.calls <= (calls ?? Number.POSITIVE_INFINITY) &&
  used.bytes + asked.bytes <= (bytes ?? Number.POSITIVE_INFINITY);

const plus = (one: Cost, other: Cost, sign = 1): Cost => ({
  calls: one.calls + sign * other.calls,
  bytes: one.bytes + sign * other.bytes,
});

export function describeBudgetModel(makeStore: MakeStore): void {
  describe('budgets against a model of two numbers a run', () => {
    it('answers as the model does, whatever is reserved, settled, put out of memory and started again', async () => {
      const property = fc.asyncProperty(steps, async (script) => {
        const store = await makeStore();
        try {
          let handle = store.open({ runsInMemory: 2 });
          const used: Cost[] = limitsOfRuns.map(() => ({ calls: 0, bytes: 0 }));
          let open: { run: number; reservation: Reservation }[] = [];
          for (const step of script) {
            if (step.op === 'restart') {
              handle.close();
              handle = store.open({ runsInMemory: 2 });
              open = [];
            } else if (step.op === 'reserve') {
              const limits = limitsOfRuns[step.limits] ?? { calls: 0, bytes: 0 };
              const before = used[step.run] ?? { calls: 0, bytes: 0 };
              const reservation = await handle.budgets.reserve(`run-${step.run}`, step.cost, limits);
              expect(reservation !== 'spent').toBe(fits(before, step.cost, limits));
              if (reservation === 'spent') continue;
              used[step.run] = plus(before, step.cost);
              open.push({ run: step.run, reservation });
            } else {
              const [settled] = open.splice(step.nth % Math.max(1, open.length), 1);
              if (!settled) continue;
              await handle.budgets.settle(settled.reservation, step.cost);
              const given = plus(step.cost, settled.reservation.reserved, -1);
              used[settled.run] = plus(used[settled.run] ?? { calls: 0, bytes: 0 }, given);
            }
            for (const [run, expected] of used.entries()) {
              const { calls, bytes } = await handle.budgets.spending(`run-${run}`, { calls: null, bytes: null });
              expect({ calls: calls.used, bytes: bytes.used }).toEqual(expected);
            }
          }
        } finally {
          await store.dispose();
        }
      });
      await fc.assert(property, { numRuns: 60 });
    });

    it('never lets two handles spend more than the limit, and refuses early by no more than a slice', async () => {
      const limits = { calls: 500, bytes: 1_000_000 };
      const asked = fc.array(fc.tuple(fc.boolean(), cost(20_000)), { maxLength: 200 });
      const property = fc.asyncProperty(asked, async (script) => {
        const store = await makeStore();
        try {
          const handles = [store.open(), store.open()] as const;
          let used: Cost = { calls: 0, bytes: 0 };
          for (const [first, amount] of script) {
            const { budgets } = handles[first ? 0 : 1];
            const reservation = await budgets.reserve('run', amount, limits);
            if (reservation !== 'spent') used = plus(used, amount);
            else expect(fits(used, plus(amount, { calls: 64, bytes: 65_536 }), limits)).toBe(false);
            expect(fits(used, { calls: 0, bytes: 0 }, limits)).toBe(true);
          }
        } finally {
          await store.dispose();
        }
      });
      await fc.assert(property, { numRuns: 25 });
    });
  });
}
