import type { PolicyTestReport } from './test-runner.ts';

/** What CI servers read: one test case a test_ rule, one suite a file. What does not compile is an error of its own suite. */
export function junit({ errors, tests }: PolicyTestReport): string {
  const suites = [...Map.groupBy(tests, ({ file }) => file)].map(([file, cases]) => {
    const lines = cases.map(({ name, row, error }) => {
      const head = `    <testcase name="${xml(name)}" classname="${xml(file)}" file="${xml(file)}" line="${row}"`;
      return error === null ? `${head}/>` : `${head}><failure message="${xml(error)}"/></testcase>`;
    });
    const failed = cases.filter(({ passed }) => !passed).length;
    const head = `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${failed}" errors="0">`;
    return [head, ...lines, '  </testsuite>'].join('\n');
  });
  const broken = errors.map(({ file, row, col, code, message }) => {
    const place = `${xml(file)}:${row}:${col}`;
    const inside = `    <testcase name="${xml(code)}" classname="${xml(file)}"><error message="${place}: ${xml(message)}"/></testcase>`;
    return `  <testsuite name="${place}" tests="1" failures="0" errors="1">\n${inside}\n  </testsuite>`;
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, ...broken, '</testsuites>', ''].join(
    '\n',
  );
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these may not stand in XML 1.0, not even escaped
const noXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const xml = (text: string): string => text.replace(noXml, '?').replace(/[&<>"]/g, (c) => entities[c] ?? c);
