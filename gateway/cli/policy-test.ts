import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { junit } from '#gateway/adapters/policy/junit.ts';
import { type PolicyCoverage, type PolicyTestReport, runPolicyTests } from '#gateway/adapters/policy/test-runner.ts';
import { watchFolder } from '#gateway/adapters/policy/watch-folder.ts';
import { exitCodes } from './exit.ts';
import { type Asked, complain } from './policy-terminal.ts';

export interface TestOptions {
  readonly json: boolean;
  readonly coverage: boolean;
  readonly threshold?: number;
  readonly junit?: string;
  readonly watch: boolean;
}

export function percentage(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('It is a number from 0 to 100.');
  return value;
}

/** `sekisho policy test`: once, or whenever something changes. */
export async function test(asked: Asked, options: TestOptions): Promise<void> {
  if (!options.watch) return asked.terminal.exit(await testOnce(asked, options));
  // What is written while the tests run, before anybody waits for it, is an edit like any other.
  let edited = false;
  let wake = (): void => undefined;
  const watch = await watchFolder(asked.folder, () => {
    edited = true;
    wake();
  });
  // The folder's watchers keep nobody from leaving, so this does; a signal ends it.
  const stay = setInterval(() => undefined, 60_000);
  try {
    for (;;) {
      edited = false;
      asked.terminal.exit(await testOnce(asked, options));
      asked.terminal.err('waiting for a change …');
      if (!edited) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    clearInterval(stay);
    watch.close();
  }
}

async function testOnce({ folder, json, toolchain, terminal }: Asked, options: TestOptions): Promise<number> {
  const coverage = options.coverage || options.threshold !== undefined;
  const report = await runPolicyTests({ directory: folder, toolchain, coverage });
  if (options.junit !== undefined) await writeFile(options.junit, junit(report));
  if (json) terminal.out(JSON.stringify(report));
  else if (report.errors.length > 0) complain(report.errors, folder, terminal);
  else for (const line of linesOf(report, folder)) terminal.out(line);
  if (report.errors.length > 0) return exitCodes.config;
  const failed = report.tests.some(({ passed }) => !passed);
  const thin = (report.coverage?.percent ?? 100) < (options.threshold ?? 0);
  if (thin && !json) terminal.err(`fewer than ${options.threshold} % of the rules held in a test`);
  return failed || thin ? exitCodes.found : exitCodes.ok;
}

function* linesOf({ tests, coverage }: PolicyTestReport, folder: string): Generator<string> {
  const rows = tests.map(({ name, file, row, passed, error }) => ({
    verdict: passed ? 'ok  ' : 'FAIL',
    place: `${join(folder, file)}:${row}`,
    what: error === null ? name : `${name}: ${error}`,
  }));
  const width = Math.max(0, ...rows.map(({ place }) => place.length));
  for (const { verdict, place, what } of rows) yield `${verdict}  ${place.padEnd(width)}  ${what}`;
  if (coverage) yield* coverageLines(coverage, folder);
  const failed = tests.filter(({ passed }) => !passed).length;
  yield `${tests.length - failed} passed, ${failed} failed`;
}

function* coverageLines({ rules, percent }: PolicyCoverage, folder: string): Generator<string> {
  for (const { name, file, row, held } of rules) if (!held) yield `never  ${join(folder, file)}:${row}  ${name}`;
  const held = rules.filter((rule) => rule.held).length;
  yield `${held} of ${rules.length} rules held in a test (${percent.toFixed(1)} %)`;
}
