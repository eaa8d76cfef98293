import { beforeAll, describe, expect, test } from 'vitest';
import { suppliedFunctions } from '#gateway/adapters/policy/host-builtins.ts';
import { PolicyFault } from '#gateway/adapters/policy/policy-fault.ts';
import { aPolicy, aToolchain, buildTimeout } from '#test/support/rego.ts';

beforeAll(async () => {
  await (await aToolchain()).compiler();
}, buildTimeout);

/** Each expression with what OPA 1.22 says of it; undefined where it says nothing. */
const said: Readonly<Record<string, unknown>> = {
  'regex.replace("foo", "^[a-z]", "F")': 'Foo',
  'regex.replace("abc", "x*", "-")': '-a-b-c-',
  'regex.replace("baaac", "a*", "-")': '-b-c-',
  'regex.replace("ann@x.io", `(?P<who>\\w+)@(\\w+)`, "$2: ${who} $$ $nobody!")': 'x: ann $ !.io',
  'regex.replace("aab", "a", "$1x")': 'b',
  'regex.replace("é😀e", ".", "_")': '___',
  'regex.replace("a", "(?=a)", "b")': undefined,
  'regex.find_n("[a-z]+", "one two three", 2)': ['one', 'two'],
  'regex.find_n("a|ab", "ab", -1)': ['a'],
  'regex.find_n("(", "a", -1)': undefined,
  'strings.any_prefix_match({"a/b", "c"}, ["x", "a/"])': true,
  'strings.any_prefix_match("abc", {"b"})': false,
  'strings.any_suffix_match("a.pem", {".key", ".pem"})': true,
  'strings.count("cheese", "e")': 3,
  'strings.count("関所", "")': 3,
  'indexof_n("aaa", "aa")': [0, 1],
  'indexof_n("😀a😀", "😀")': [0, 2],
  'indexof_n("a", "")': undefined,
  'crypto.sha256("関")': '5b9362a400edb6546807af0036b3180108080a62f3a90e1501151c77fa1cbb57',
  'hex.encode("é")': 'c3a9',
  'hex.decode("c3a9")': 'é',
  'hex.decode("c3a")': undefined,
  'base64url.encode_no_pad("a?>")': 'YT8-',
  'urlquery.encode("a b&c=é!*\'()~")': 'a+b%26c%3D%C3%A9%21%2A%27%28%29~',
  'urlquery.decode("a+b%26")': 'a b&',
  'urlquery.decode("%2")': undefined,
  'glob.quote_meta("*.a{b}?")': '\\*.a\\{b\\}\\?',
  'semver.is_valid("v1.2.3-rc.1+5")': true,
  'semver.is_valid("1.02.3")': false,
  'semver.is_valid(7)': false,
  'semver.compare("1.2.3-rc.2", "1.2.3-rc.10")': -1,
  'semver.compare("1.2.3", "1.2.3-rc.1")': 1,
  'semver.compare("1.2.3+a", "1.2.3+b")': 0,
  'semver.compare("1.2", "1.2.3")': undefined,
  'time.clock(1760000000000000000)': [8, 53, 20],
  'time.clock([1760000000000000000, "UTC"])': [8, 53, 20],
  'time.clock(-1)': [23, 59, 59],
  'time.clock([1760000000000000000, "Europe/Berlin"])': undefined,
  'time.date(1760000000000000000)': [2025, 10, 9],
  'time.weekday(1760000000000000000)': 'Thursday',
  'time.parse_rfc3339_ns("2025-10-09T08:53:20.123456789Z") == 1760000000123456789': true,
  'time.parse_rfc3339_ns("2025-10-09T10:53:20+02:00") == 1760000000000000000': true,
  'time.parse_rfc3339_ns("2025-02-30T00:00:00Z")': undefined,
};

describe('a function that we supply to the module says what OPA says', () => {
  let answers: Record<string, unknown>;
  beforeAll(async () => {
    const rows = Object.keys(said).map((expression) => `\t${JSON.stringify(expression)}: [x | x := ${expression}],\n`);
    answers = (await aPolicy(`decision := {\n${rows.join('')}}`)).judge({}) as Record<string, unknown>;
  });

  test.each(Object.entries(said))('%s', (expression, wanted) => {
    expect(answers[expression]).toEqual(wanted === undefined ? [] : [wanted]);
  });

  test('and every one of them is in this table', () => {
    const tried = new Set(Object.keys(said).map((expression) => expression.slice(0, expression.indexOf('('))));
    expect([...tried].sort()).toEqual(suppliedFunctions);
  });
});

describe('a function that we supply to the module', () => {
  test.each(['(a+)+$', '(a|aa)+$', '(.*a){12}$'])('takes linear time for %s', async (pattern) => {
    const policy = await aPolicy('decision := regex.replace(input.text, input.pattern, "")');
    const began = process.threadCpuUsage();
    policy.judge({ text: `${'a'.repeat(5_000)}!`, pattern });
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(1_000); // a backtracking one takes years
  });

  test('pays for its work with the steps of the question', async () => {
    const policy = await aPolicy('decision := count([1 | some i in input.list; regex.find_n(input.pattern, i, -1)])');
    const list = Array.from({ length: 500 }, () => 'a'.repeat(1_000));
    const began = process.threadCpuUsage();
    expect(() => policy.judge({ list, pattern: '(a?){50}b' })).toThrow(PolicyFault);
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(200);
    expect(policy.judge({ list: ['b'], pattern: 'b' })).toBe(1);
  });

  test('is none of those that a set would cross as a list', () => {
    for (const name of ['object.subset', 'json.patch', 'net.cidr_merge', 'net.cidr_expand'])
      expect(suppliedFunctions).not.toContain(name);
  });
});
