import { describe, expect, test } from 'vitest';
import { benign, poisoned } from './corpus.ts';
import { type Rate, ratesOf } from './rates.ts';

const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
const detection = ({ poisoned: all, detected }: Rate): number => share(detected, all);
const alarms = (rate: Rate): number => share(rate.alarms, rate.benign);

const tune = await ratesOf('tune');
const held = await ratesOf('held');

test('the corpus holds at least 300 poisoned and 1,000 benign definitions, the benign ones of published servers', () => {
  expect(poisoned().length).toBeGreaterThanOrEqual(300);
  expect(benign().reduce((sum, { definitions }) => sum + definitions.tools.length, 0)).toBeGreaterThanOrEqual(1000);
  expect(new Set(poisoned().map(({ id }) => id)).size).toBe(poisoned().length);
});

describe('in the half that the checks were tuned on', () => {
  test.each(tune)('$kind is found, with few false alarms', (rate) => {
    expect(detection(rate)).toBeGreaterThanOrEqual(rate.kind === 'any' ? 0.99 : 0.9);
    expect(alarms(rate)).toBeLessThanOrEqual(rate.kind === 'any' ? 0.01 : 0.005);
  });
});

// Nobody looked at what is missed here while the checks were written. The floors are what was measured, rounded down.
describe('in the half that was held out', () => {
  test.each(held)('$kind is found, with few false alarms', (rate) => {
    expect(detection(rate)).toBeGreaterThanOrEqual(rate.kind === 'any' ? 0.93 : 0.7);
    expect(alarms(rate)).toBeLessThanOrEqual(rate.kind === 'any' ? 0.02 : 0.01);
  });
});
