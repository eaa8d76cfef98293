import { describe, expect, test } from 'vitest';
import { createTroubles } from '#gateway/compose/credential-troubles.ts';

function aLog() {
  const clock = { now: 0 };
  const said: string[] = [];
  const log = {
    warn: (fields: object) => void said.push((fields as { why: string }).why),
    info: () => void said.push('well'),
  };
  const about = { server: 'tickets', issuer: 'https://as.test' };
  return { clock, said, tell: createTroubles(about, log, () => clock.now) };
}

describe('the log of credentials that cannot be had', () => {
  test('says it when it begins, and when it is over', () => {
    const { said, tell } = aLog();
    for (const trouble of [null, null, 'timed out', 'timed out', null, null]) tell(trouble);
    expect(said).toEqual(['timed out', 'well']);
  });

  test('says the same trouble again when it was well in between', () => {
    const { clock, said, tell } = aLog();
    for (const at of [0, 60_000, 120_000]) {
      clock.now = at;
      tell('timed out');
      tell(null);
    }
    expect(said).toEqual(['timed out', 'well', 'timed out', 'well', 'timed out', 'well']);
  });

  test('says another trouble at once', () => {
    const { said, tell } = aLog();
    tell('timed out');
    tell('answered HTTP 400');
    expect(said).toEqual(['timed out', 'answered HTTP 400']);
  });

  test('is not filled by callers of whom one is refused and another is not', () => {
    const { clock, said, tell } = aLog();
    for (let i = 0; i < 1_000; i++) {
      clock.now = i * 120;
      tell(i % 4 === 0 ? 'answered HTTP 400 (invalid_target)' : i % 4 === 2 ? 'answered HTTP 400' : null);
    }
    expect(said.length).toBeLessThan(12);
    expect(said.length).toBeGreaterThan(4);
  });
});
