import { expect, test } from 'vitest';
import { createLiveSessions } from '#gateway/adapters/http/live-sessions.ts';

test('sessions that ended stay ended, and past the bound only the oldest are forgotten', () => {
  const sessions = createLiveSessions();
  for (let i = 0; i < 50_002; i++) sessions.end(String(i));
  expect([0, 1, 2, 50_001].map((id) => sessions.ended(String(id)))).toEqual([false, false, true, true]);
});
