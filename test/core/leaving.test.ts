import { describe, expect, test } from 'vitest';
import { createLeaving, type Leaving, whenLeft } from '#gateway/core/leaving.ts';

describe('leaving', () => {
  test('tells everyone who listens, once', () => {
    const leaving = createLeaving();
    const told: string[] = [];
    leaving.addEventListener('abort', () => told.push('a'));
    leaving.addEventListener('abort', () => told.push('b'));
    expect(leaving.aborted).toBe(false);
    leaving.abort();
    leaving.abort();
    expect([leaving.aborted, told]).toEqual([true, ['a', 'b']]);
  });

  test('does not tell who stopped listening, also while it tells', () => {
    const leaving = createLeaving();
    const told: string[] = [];
    const never = () => void told.push('never');
    leaving.addEventListener('abort', never);
    leaving.removeEventListener('abort', never);
    leaving.addEventListener('abort', () => leaving.removeEventListener('abort', never));
    leaving.abort();
    expect(told).toEqual([]);
  });

  test('lets go of what was held for somebody, also when they had left by then', () => {
    const leaving = createLeaving();
    const given: string[] = [];
    whenLeft(leaving, () => given.push('a'));
    expect(given).toEqual([]);
    leaving.abort();
    whenLeft(leaving, () => given.push('b'));
    leaving.abort();
    expect(given).toEqual(['a', 'b']);
  });

  test('is a part of what an AbortSignal is', () => {
    const real = new AbortController();
    const leaving: Leaving = real.signal;
    let told = 0;
    leaving.addEventListener('abort', () => told++);
    real.abort();
    expect([leaving.aborted, told]).toEqual([true, 1]);
  });
});
