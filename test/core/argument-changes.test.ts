import { expect, test } from 'vitest';
import { changedArguments, sendable } from '#gateway/core/argument-changes.ts';
import { noObligations } from '#gateway/core/obligations.ts';

const patches = [{ op: 'replace', path: '/limit', value: 50 }] as const;
const unsent = { pointers: ['/secret'], kinds: ['email'] } as const;

test('arguments that nothing changes are the very same', () => {
  const args = { limit: 50, secret: '[redacted]' };
  expect(changedArguments(args, noObligations)).toBe(args);
  expect(changedArguments(args, { ...noObligations, patches, unsent })).toBe(args);
});

test('what is patched in is redacted, too; what stood at a pointer is in no other argument', () => {
  const obligations = { ...noObligations, patches: [{ op: 'add', path: '/to', value: 'a@b.io' } as const], unsent };
  expect(changedArguments({ secret: 'hunter2', note: 'it is hunter2' }, obligations)).toEqual({
    secret: '[redacted]',
    note: 'it is [redacted]',
    to: '[redacted:email]',
  });
});

test('what cannot be done to arguments is not done by half', () => {
  expect(changedArguments({}, { ...noObligations, patches })).toBeNull();
  expect(changedArguments({ 'a@b.io': 1 }, { ...noObligations, unsent })).toBeNull();
});

test('what a caller sends back is sent as it is, or not at all', () => {
  expect(sendable(null, { ...noObligations, unsent })).toBe(true);
  expect(sendable({ q: { content: { mail: 'a@b.io' } } }, noObligations)).toBe(true);
  expect(sendable({ q: { content: { mail: 'none' } } }, { ...noObligations, unsent })).toBe(true);
  expect(sendable({ q: { content: { mail: 'a@b.io' } } }, { ...noObligations, unsent })).toBe(false);
});

test('what is too large to be looked through is not sent', () => {
  const large = { note: 'x'.repeat(1_100_000) };
  expect(changedArguments(large, { ...noObligations, unsent })).toBeNull();
  expect(sendable(large, { ...noObligations, unsent })).toBe(false);
  expect(changedArguments({ l: Array.from({ length: 200_000 }, () => '') }, { ...noObligations, unsent })).toBeNull();
  expect(changedArguments(large, noObligations)).toBe(large);
});
