import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { anApprovalRequest } from '#test/support/approval-request.ts';
import { aRedemption } from '#test/support/redemption.ts';
import type { Handle } from './store.ts';

/** What a child process does to a store. What it has said was acknowledged by the store before. */
type Job = (open: () => Handle, args: readonly string[]) => Promise<void>;

/** Straight into the pipe: a line that was said is out even when the next instruction is the kill. */
const say = (line: string): void => void writeSync(1, `${line}\n`);

const asked = () => createInterface({ input: process.stdin });

export const jobs: Readonly<Record<string, Job>> = {
  /** Opens the store when it is told to, and closes it. */
  open: async (open) => {
    say('ready');
    for await (const _ of asked()) {
      open().close();
      say('opened');
    }
  },

  /** Consumes the call that each line names. */
  consume: async (open) => {
    const { approvals } = open();
    say('ready');
    for await (const call of asked()) say(approvals.consume(anApprovalRequest(call)).state);
  },

  /** Reserves one call of one for the run that each line names. */
  reserve: async (open) => {
    const { budgets } = open();
    say('ready');
    const limits = { calls: 1, bytes: null };
    for await (const run of asked()) {
      say(budgets.reserve(run, { calls: 1, bytes: 0 }, limits) === 'spent' ? 'spent' : 'reserved');
    }
  },

  /** Redeems the token that each line names. */
  redeem: async (open) => {
    const { runs } = open();
    say('ready');
    for await (const use of asked()) say(runs.redeem(aRedemption({ use })).state);
  },

  /** Asks, approves and consumes one call after the other, for ever. */
  churn: async (open, [prefix]) => {
    const { approvals } = open();
    for (let n = 0; ; n++) {
      const request = anApprovalRequest(`${prefix}-${n}`, { binding: { run: `${prefix}-${n}` } });
      const answer = approvals.consume(request);
      if (answer.state !== 'pending') throw new Error(`a new call was ${answer.state}`);
      say(`asked ${n} ${answer.id}`);
      approvals.decide(answer.id, { state: 'approved', by: 'grace', why: null }, 1500);
      say(`approved ${n} ${answer.id}`);
      say(`${approvals.consume(request).state} ${n} ${answer.id}`);
    }
  },

  /** Asks about one large call after the other until the store can take no more, and says how it put that. */
  fill: async (open) => {
    const { approvals } = open();
    // A write past the limit of the test is an error of the write, not the end of the process.
    process.on('SIGXFSZ', () => {});
    const text = 'x'.repeat(20_000);
    for (let n = 0; ; n++) {
      try {
        const answer = approvals.consume(
          anApprovalRequest(`${n}`, { arguments: { text }, binding: { run: `run-${n}` } }),
        );
        say(answer.state === 'pending' ? answer.id : answer.state);
      } catch (fault) {
        say(`fault ${fault instanceof Error ? fault.message : fault}`);
        process.exit(0);
      }
    }
  },

  /** Spends the run's calls one by one until there are none, then closes in good order. */
  spend: async (open, [run = '', calls, bytes]) => {
    const { budgets, close } = open();
    const limits = { calls: Number(calls), bytes: bytes === undefined ? null : Number(bytes) };
    for (;;) {
      const reservation = budgets.reserve(run, { calls: 1, bytes: 100 }, limits);
      if (reservation === 'spent') break;
      say('reserved');
      budgets.settle(reservation, { calls: 1, bytes: 1000 });
      say('settled');
    }
    say('spent');
    close();
  },
};
