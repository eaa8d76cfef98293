import { describe, expect, test } from 'vitest';
import { aboutOf, hasNoStream, looksOlder } from '#gateway/core/upstream-status.ts';

describe('the HTTP status of an upstream', () => {
  test.each([
    [[300, 301, 302, 307, 308, 399], 'place'],
    [[401, 403, 407], 'credential'],
    [[408, 425, 429, 500, 501, 502, 503, 504, 529], 'moment'],
    [[400, 402, 404, 405, 406, 409, 410, 413, 415, 418, 422, 431], 'request'],
  ] as const)('%j is about the %s', (statuses, about) => {
    for (const status of statuses) expect(aboutOf(status)).toBe(about);
  });

  test('that passes, or is about our credential, never shows an era', () => {
    for (let status = 200; status < 600; status++) {
      if (aboutOf(status) !== 'request') expect(looksOlder(status)).toBe(false);
    }
    expect([looksOlder(404), looksOlder(undefined), looksOlder('404')]).toEqual([true, false, false]);
  });

  test.each([
    [405, true],
    [501, true],
    ...[400, 401, 403, 404, 408, 409, 425, 429, 500, 503].map((status) => [status, false] as const),
  ] as const)('%i says that there is no stream for ever: %j', (status, none) => {
    expect(hasNoStream(status)).toBe(none);
  });
});
