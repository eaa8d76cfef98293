import { expect, test } from 'vitest';
import { createVerdicts } from '#gateway/adapters/tokens/verdicts.ts';
import { isRefusal, refuse } from '#gateway/core/refusals.ts';
import type { RunToken } from '#gateway/core/run-token.ts';

const good: RunToken = {
  identity: {
    principal: { type: 'run', id: 'run:a', groups: [], scopes: [] },
    agent: { id: null },
    run: { id: 'a', repo: null, ref: null, deadline: null, budget: { calls: null, bytes: null } },
    ceiling: { tiers: null, tools: null },
    token: {
      id: 'j',
      key: 'k',
      issued: 1000,
      rule: null,
      source: null,
      sourceToken: null,
      boundTo: null,
      actors: null,
    },
    issuer: 'urn:test:issuer',
    expires: 2000,
  },
  notBefore: 1000,
};

test('a flood of bad tokens pushes no good one out', () => {
  const verdicts = createVerdicts(3);
  verdicts.put('good', good);
  for (let n = 0; n < 100; n++) verdicts.put(`bad ${n}`, refuse('token_invalid'));
  expect(verdicts.find('good', 1500)).toBe(good.identity);
  expect(verdicts.find('bad 99', 1500)).toMatchObject({ refused: 'token_invalid' });
  expect(verdicts.find('bad 0', 1500)).toBeUndefined();
});

test('a token that was early is good at its time, and one that is over stays over', () => {
  const verdicts = createVerdicts(3);
  verdicts.put('a', good);
  expect(verdicts.find('a', 999)).toMatchObject({ refused: 'token_invalid' });
  expect(verdicts.find('a', 1000)).toBe(good.identity);
  expect(verdicts.find('a', 2000)).toMatchObject({ refused: 'token_invalid' });
  // Even if the clock is set back.
  expect(isRefusal(verdicts.find('a', 1500))).toBe(true);
});
