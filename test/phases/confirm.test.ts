import { describe, expect, test } from 'vitest';
import { refuse } from '#gateway/core/refusals.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import { confirm } from '#gateway/phases/confirm.ts';
import { allowing, anAuthorizedCall } from '#test/support/authorized-call.ts';

/** The phase, and how often somebody looked. */
function confirming(changes: Partial<Target> = {}, over: object = {}, found: ReturnType<typeof refuse> | null = null) {
  const call = anAuthorizedCall(allowing(), over);
  Object.assign(call, { target: { ...call.target, ...changes } });
  let looks = 0;
  const changed = (): Promise<typeof found> => {
    looks++;
    return Promise.resolve(found);
  };
  return { call, step: confirm(call, { lookout: { changed } }), looks: () => looks };
}

describe('before a call its server is asked again', () => {
  test.each(['write', 'delete', 'exec', 'egress', 'admin', null] as const)(
    'whose tool is of action %s',
    async (action) => {
      const { call, step, looks } = confirming({ action });
      expect(await step).toBe(call);
      expect([looks(), call]).toMatchObject([1, { confirmed: true }]);
    },
  );

  test.each<[string, Partial<Target>, object]>([
    ['of a tool that only reads', { action: 'read' }, {}],
    ['for a prompt', { kind: 'prompt' }, { method: 'prompts/get' }],
    ['for a resource', { kind: 'resource' }, { method: 'resources/read' }],
    ['for what a task came to', {}, { method: 'tasks/get' }],
    ['that is only asked about', {}, { dryRun: true }],
    ['that looks at a task', {}, { method: 'tasks/get' }],
  ])('but not %s', (_, changes, over) => {
    const { call, step, looks } = confirming(changes, over);
    expect([step, looks()]).toEqual([call, 0]);
  });
});

test('what is another tool by now is refused for what it is', async () => {
  const { step } = confirming({}, {}, refuse('manifest_changed', 'it changed'));
  expect(await step).toMatchObject({ refused: 'manifest_changed' });
});

test('a look that is fresh costs no turn of the event loop', () => {
  const call = anAuthorizedCall(allowing());
  expect(confirm(call, { lookout: { changed: () => null } })).toBe(call);
});
