import { describe, expect, test } from 'vitest';
import { knownTools } from '#gateway/core/poison/known-tools.ts';
import { findingsBeside, findingsIn } from '#gateway/core/poison/review.ts';
import { splitInstruction } from '#gateway/core/poison/split-instruction.ts';
import { subjectOf } from '#gateway/core/poison/subject.ts';
import { cost } from '#test/support/cpu-time.ts';

const names = Array.from({ length: 512 }, (_, at) => `tool_number_${at}`);
const others = { server: 'x', own: new Set<string>(), known: knownTools([['a', names]]) };

function reviewed(description: string): void {
  const subject = subjectOf('tool', { name: 'x'.repeat(128), description });
  findingsIn(subject);
  findingsBeside(subject, others);
  splitInstruction([subject, subject]);
}

const hostile: readonly (readonly [string, string])[] = [
  ['the first word of a phrase, over and over', 'ignore '],
  ['all words of a phrase but the last', 'ignore all previous do not ever tell '],
  ['letters without a word end', 'a'],
  ['base64 without end', 'aB3'],
  ['escapes', '\\u0061\\x61&#x61;%61'],
  ['opening comments', '/* <!-- {# <div style="'],
  ['opening tags', '<a '],
  ['spaces', ' '],
  ['line ends', '\n'],
  ['brackets of links', '](http://a?b='],
  ['home folders', '~/$home/home/a/users/'],
  ['combining marks', 'a\u0301\u0302'],
  ['ligatures that fold to 18 letters each', '\ufdfa'],
  ['identifiers', 'a_b-'],
  ['addresses', 'a@b.c.d.e '],
  ['dotted addresses without an end', 'a.b+c-'],
  ['tags of Unicode', '\u{e0061}'],
  ['percent signs and digits', '%%1%% '],
  ['zeros and ones', '0101010 '],
  ['curl after curl', 'curl curl '],
];

test('a list that names one parameter ten thousand times has it read once', () => {
  const required = Array.from({ length: 10_000 }, () => 'p');
  const properties = { p: { description: 'what you know '.repeat(700) } };
  const definition = { name: 'x', inputSchema: { type: 'object', required, properties } };
  expect(JSON.stringify(definition).length).toBeLessThan(64 * 1024);
  expect(cost(() => findingsIn(subjectOf('tool', definition)))).toBeLessThan(100);
});

describe('the largest definition that is taken is looked at in bounded time', () => {
  test.each(hostile)('%s', (_, unit) => {
    const text = unit.repeat(Math.ceil((64 * 1024) / unit.length)).slice(0, 64 * 1024);
    // Measured: 2 to 35 ms; one regular expression that was quadratic took 6 s, on two busy cores. The reviewer lets the event loop go on after each definition.
    expect(cost(() => reviewed(text), 5)).toBeLessThan(100);
  });
});
