import { expect, test } from 'vitest';
import { junit } from '#gateway/adapters/policy/junit.ts';

test('a suite a file, a case a test, and nothing that breaks out of an attribute', () => {
  const tests = [
    { name: 'test_a', file: 'x_test.rego', row: 3, passed: true, error: null },
    { name: 'test_b', file: 'x_test.rego', row: 7, passed: false, error: 'it is "<a>" & \u0000, not true' },
    { name: 'test_c', file: 'y_test.rego', row: 3, passed: true, error: null },
  ];
  expect(junit({ errors: [], tests })).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="x_test.rego" tests="2" failures="1" errors="0">
    <testcase name="test_a" classname="x_test.rego" file="x_test.rego" line="3"/>
    <testcase name="test_b" classname="x_test.rego" file="x_test.rego" line="7"><failure message="it is &quot;&lt;a&gt;&quot; &amp; ?, not true"/></testcase>
  </testsuite>
  <testsuite name="y_test.rego" tests="1" failures="0" errors="0">
    <testcase name="test_c" classname="y_test.rego" file="y_test.rego" line="3"/>
  </testsuite>
</testsuites>
`);
});

test('what does not compile is an error with its place', () => {
  const errors = [{ file: 'a.rego', row: 4, col: 1, code: 'rego_parse_error', message: 'unexpected eof' }];
  expect(junit({ errors, tests: [] })).toContain('<error message="a.rego:4:1: unexpected eof"/>');
});
