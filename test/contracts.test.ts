import { describe, expect, test } from 'vitest';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { createContracts } from '#gateway/contracts.ts';
import { aTool } from '#test/support/listing-server.ts';
import { keptLog } from '#test/support/logs.ts';
import { someDefinitions } from '#test/support/values.ts';

const clock = (): number => performance.now();

describe('a schema that breaks what makes it ready', () => {
  const broken = (): never => {
    throw new RangeError('Maximum call stack size exceeded');
  };

  test('closes its own tool, is logged, and keeps no other from being made', async () => {
    const log = keptLog();
    const contracts = createContracts({ patterns: broken, sha256: hashing.sha256, clock, log });
    const [bad, good] = [aTool('bad', { inputSchema: { pattern: 'a' } }), aTool('good')];
    await contracts.prepare(someDefinitions({ tools: [bad, good] }));
    expect(contracts.of(bad)).toMatchObject({ input: null, flaw: 'it could not be made ready' });
    expect(contracts.of(good).flaw).toBeNull();
    expect(log.said).toMatchObject([{ level: 'error', fields: { tool: 'bad' } }]);
  });
});

test('what was made of a definition is kept as long as that very object', () => {
  let read = 0;
  const patterns = (source: string) => {
    read++;
    return { source, size: 1, matches: () => true };
  };
  const contracts = createContracts({ patterns, sha256: hashing.sha256, clock, log: keptLog() });
  const tool = aTool('a', { inputSchema: { pattern: 'a' } });
  expect(contracts.of(tool)).toBe(contracts.of(tool));
  expect(contracts.digestOf('tool', tool)).toBe(contracts.digestOf('tool', tool));
  expect(read).toBe(1);
  expect(contracts.of({ ...tool })).not.toBe(contracts.of(tool));
});
