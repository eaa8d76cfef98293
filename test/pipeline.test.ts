import { describe, expect, test } from 'vitest';
import type { Received } from '#gateway/core/call.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { begin, run, type Watch } from '#gateway/pipeline.ts';
import { toolCall, toolDecision } from '#gateway/pipelines.ts';
import { aCall } from '#test/support/values.ts';

const told = (): Watch & { lines: string[] } => {
  const lines: string[] = [];
  return {
    lines,
    begin: (_call, phase) => void lines.push(`> ${phase}`),
    end: (_call, phase, refusal) => void lines.push(`< ${phase}${refusal ? ` ${refusal.refused}` : ''}`),
  };
};
const none = {};
const pass = (call: Received): Received => call;
const later = (call: Received): Promise<Received> => Promise.resolve(call);
const no = (): Refusal => refuse('policy_denied');
const broken = (): Received => {
  throw new Error('broken');
};

describe('the runner', () => {
  test('gives back the very record it was given, without a promise when no phase made one', () => {
    const call = aCall();
    expect(run(begin<Received>().next(pass).next(pass), call, none, told())).toBe(call);
  });

  test('awaits a phase that made a promise, and goes on in order', async () => {
    const watch = told();
    const step = run(begin<Received>().next(pass).next(later).next(pass), aCall(), none, watch);
    expect(step).toBeInstanceOf(Promise);
    await step;
    expect(watch.lines).toEqual(['> pass', '< pass', '> later', '< later', '> pass', '< pass']);
  });

  test('stops at the first refusal and says which phase it was', async () => {
    const watch = told();
    const step = await run(begin<Received>().next(later).next(no).next(broken), aCall(), none, watch);
    expect(step).toMatchObject({ refused: 'policy_denied' });
    expect(watch.lines.at(-1)).toBe('< no policy_denied');
  });

  test('lets a fault through: it is caught once, by whoever answers', () => {
    expect(() => run(begin<Received>().next(broken), aCall(), none, told())).toThrow('broken');
  });
});

test('the decision API is the list of a tool call with forward and inspect left off', () => {
  const names = (list: { phases: readonly { name: string }[] }) => list.phases.map((phase) => phase.name);
  expect(names(toolCall)).toEqual([...names(toolDecision), 'forward', 'inspect']);
});
