import fc from 'fast-check';
import { RE2JS } from 're2js';
import { beforeAll, describe, expect, test } from 'vitest';
import { PolicyFault } from '#gateway/adapters/policy/policy-fault.ts';
import { patternPrice } from '#gateway/adapters/policy/regex-price.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { onThisMachine } from '#test/support/cpu-time.ts';
import { aPolicy, aToolchain, buildTimeout } from '#test/support/rego.ts';

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);

/** Milliseconds of this thread; of four, since others are on the machine. */
function quickest(policy: Policy, input: object): number {
  const times = Array.from({ length: 4 }, () => {
    const began = process.threadCpuUsage();
    try {
      policy.judge(input);
    } catch (cause) {
      if (!(cause instanceof PolicyFault) || cause.reason !== 'too_long') throw cause;
    }
    const { user, system } = process.threadCpuUsage(began);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

const a = (length: number): string => 'a'.repeat(length);
const many = (length: number, of: number): string[] => Array.from({ length }, () => a(of));

/** Work that is far more than what its arguments are long. */
const attacks: Readonly<Record<string, readonly [string, object]>> = {
  'a half of a text in the text': ['indexof_n(input.a, input.b)', { a: a(40_000), b: `${a(20_000)}b` }],
  'all places of a text in itself': ['indexof_n(input.a, input.b)', { a: a(40_000), b: a(20_000) }],
  'a periodic text counted': ['strings.count(input.a, input.b)', { a: a(100_000), b: `${a(5_000)}b${a(5_000)}` }],
  'all pairs of two lists': ['strings.any_prefix_match(input.l, input.m)', { l: many(999, 50), m: many(999, 51) }],
  'all pairs of two ends': ['strings.any_suffix_match(input.l, input.m)', { l: many(999, 90), m: many(990, 91) }],
  'a search that runs to the end each time': ['regex.find_n("a*x|a", input.a, -1)', { a: a(20_000) }],
  'replacing what runs to the end each time': ['regex.replace(input.a, ".*?x|a", "b")', { a: a(20_000) }],
  'a long literal looked for': ['regex.find_n(input.b, input.a, 1)', { a: a(500_000), b: `${a(2_500)}b${a(2_500)}` }],
  'a pattern that counts far': ['regex.find_n(input.b, "x", 1)', { b: 'a{1000}'.repeat(500) }],
  'a pattern whose groups count': ['regex.find_n(input.b, "x", 1)', { b: '(a{10}){100}'.repeat(500) }],
  'a pattern of all letters': ['regex.find_n(input.b, "x", 1)', { b: `(?i)${'[^\\pL]'.repeat(5_000)}` }],
  'a pattern of all characters': ['regex.find_n(input.b, "x", 1)', { b: `(?i)${'[!-\\x{10ffff}]'.repeat(2_000)}` }],
  'many threads at once': ['regex.find_n(`(\\pL){1000}`, input.a, -1)', { a: a(20_000) }],
  'many threads, short text': ['regex.find_n("(a?){50}b", input.a, -1)', { a: 'ab c@d.co '.repeat(2_000) }],
  'a long value for each character': ['regex.replace(input.a, "a", input.b)', { a: a(10_000), b: a(10_000) }],
  'a value that expands': ['regex.replace(input.a, "a+", input.b)', { a: a(10_000), b: '$0'.repeat(10_000) }],
  'many groups of each match': [`regex.replace(input.a, "${'()'.repeat(400)}", "$1")`, { a: a(20_000) }],
  'a number with many digits': [
    'semver.compare(input.a, input.b)',
    { a: `1.0.0-${'9'.repeat(80_000)}`, b: `1.0.0-${'8'.repeat(80_000)}` },
  ],
  'a version with many digits': ['semver.is_valid(input.a)', { a: `1.0.${'9'.repeat(200_000)}` }],
  'a time with many digits': ['time.parse_rfc3339_ns(input.a)', { a: `2025-10-09T08:53:20.${'9'.repeat(200_000)}` }],
  'escapes cut short': ['urlquery.decode(input.a)', { a: '%41'.repeat(50_000) }],
  'a list that crosses again and again': [
    'count([1 | some x in input.l; strings.any_prefix_match("b", input.l)])',
    { l: many(900, 40) },
  ],
};

describe('a question is over within 50 ms of the event loop, whatever a caller makes long:', () => {
  test.each(Object.entries(attacks))('%s', async (_, [expression, input]) => {
    const policy = await aPolicy(`decision := {"is": is_array([x | x := ${expression}])}`);
    expect(quickest(policy, input)).toBeLessThan(onThisMachine(50));
  });
});

test.each([
  // 65,535 times 65,537 is one less than 2^32, the price of this search when only lengths were multiplied: nothing at all.
  ['regex.find_n(input.a, input.b, 1)', { a: a(65_537), b: 'b'.repeat(65_535) }],
  ['strings.count(input.a, input.b)', { a: a(524_288), b: a(262_144) }],
])('a price that an i32 cannot hold does not fill the meter again: %s', async (expression, input) => {
  const policy = await aPolicy(`decision := count([x | x := ${expression}])`);
  expect(() => policy.judge(input)).toThrow(expect.objectContaining({ reason: 'too_long' }));
});

test('what a policy does every day stays far below its steps', async () => {
  const policy = await aPolicy(`decision := [
    regex.replace(input.text, "[ \\t\\n]+", " "),
    regex.find_n(\`(?i)(bearer|basic)\\s+[a-z0-9._~+/-]+=*\`, input.text, -1),
    regex.find_n(\`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\`, input.text, -1),
    strings.count(input.text, "needle"),
    strings.any_prefix_match(input.paths, ["/etc", "/root", "/home/someone/.ssh"]),
    indexof_n(input.text, "/"),
  ]`);
  const paths = Array.from({ length: 200 }, (_, i) => `/repo/src/folder/file-${i}.ts`);
  expect(policy.judge({ text: 'A Bearer abc.def= word / '.repeat(80), paths })).toHaveLength(6);
});

const atom = fc.oneof(
  fc.constantFrom(
    'a',
    '.',
    '[a-z]',
    '[)]',
    '[(]',
    '\\d',
    '\\)',
    '\\(',
    '\\pL',
    'x?',
    'x*',
    '[[:word:]]',
    '\\Q)\\E',
    '|',
  ),
);
const times = fc.constantFrom('', '', '{3}', '{2,}', '{0,7}', '{30}', '{1000}', '*', '?');
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  pattern: fc.array(fc.tuple(tie('part'), times), { maxLength: 4 }).map((parts) => parts.flat().join('')),
  part: fc.oneof(
    { depthSize: 'small' },
    atom,
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})`),
  ),
}));

test('a pattern is never larger than what was paid for it', () => {
  fc.assert(
    fc.property(pattern, (source) => {
      const size = sizeOf(source);
      expect(size * 50).toBeLessThanOrEqual(patternPrice(source) + 50 * 10);
    }),
    { numRuns: 2_000 },
  );
});

function sizeOf(source: string): number {
  try {
    return RE2JS.compile(source).programSize();
  } catch {
    return 0;
  }
}
