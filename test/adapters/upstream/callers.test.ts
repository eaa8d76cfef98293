import { expect, test } from 'vitest';
import { createCallers } from '#gateway/adapters/upstream/callers.ts';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import type { Link } from '#gateway/adapters/upstream/link.ts';
import type { Wire } from '#gateway/adapters/upstream/wire.ts';

function someCallers() {
  let closed = 0;
  const wire = (): Wire => ({
    open: () => {
      throw new Error('nothing is sent here');
    },
    renew: () => undefined,
    close: async () => void closed++,
  });
  const made: string[] = [];
  const given: object[] = [];
  const link = { server: 'tickets', credential: fixedCredential(null) } as Link;
  const callers = createCallers(link, wire, (caller) => {
    const { principal, run } = caller;
    given.push(caller);
    made.push(`${principal} ${run}`);
    return fixedCredential(`${principal} ${run}`);
  });
  return { callers, made, given, closed: () => closed };
}

test('a caller has one credential and connections of its own, and says who it is by principal and run', async () => {
  const { callers, made, closed } = someCallers();
  const one = callers.of({ principal: 'ada', run: 'r1' });
  expect(callers.of({ principal: 'ada', run: 'r1' })).toBe(one);
  const others = [callers.of({ principal: 'ada', run: 'r2' }), callers.of({ principal: 'ada","r1', run: '' })];
  expect(new Set([one, ...others].map(({ wire }) => wire)).size).toBe(3);
  expect(one.credential.value).toBe('ada r1');
  expect(made).toHaveLength(3);
  await callers.close();
  expect(closed()).toBe(3);
});

test('of a thousand callers, the one who called longest ago is forgotten for the next', () => {
  const { callers, made } = someCallers();
  for (let run = 0; run < 1_000; run++) callers.of({ principal: 'ada', run: `${run}` });
  callers.of({ principal: 'ada', run: '0' });
  callers.of({ principal: 'ada', run: 'new' });
  callers.of({ principal: 'ada', run: '0' });
  expect(made).toHaveLength(1_001);
  callers.of({ principal: 'ada', run: '1' });
  expect(made).toHaveLength(1_002);
});

test('nothing of a call is kept with the credential of its caller but who it is', () => {
  const { callers, given } = someCallers();
  callers.of({ principal: 'ada', run: 'r1', params: { arguments: { secret: 'x' } } } as never);
  expect(given).toEqual([{ principal: 'ada', run: 'r1' }]);
});
