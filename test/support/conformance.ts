import { resolve } from 'node:path';
import { finished } from './finished.ts';

/** Both versions of the official suite: the released one, and the one that knows 2026-07-28. */
const versions = { '0.1.16': '@modelcontextprotocol/conformance', next: 'conformance-next' } as const;

export interface SuiteRun {
  /** Zero when all that the set requires passed. */
  readonly code: number | null;
  /** By scenario: `passed/failed`. */
  readonly scenarios: Record<string, string>;
  readonly passed: number;
  readonly failed: number;
}

/** Runs the suite against a server. Both versions install a program of one name, so it is run by its package's path. */
export async function runSuite(
  version: keyof typeof versions,
  url: string,
  args: readonly string[],
): Promise<SuiteRun> {
  const program = resolve(import.meta.dirname, '..', '..', 'node_modules', versions[version], 'dist', 'index.js');
  const { code, stdout, stderr } = await finished('node', [program, 'server', '--url', url, ...args], 120_000);
  const text = `${stdout}\n${stderr}`;
  const lines = [...text.matchAll(/^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed/gm)];
  const scenarios = Object.fromEntries(lines.map(([, name = '', passed, failed]) => [name, `${passed}/${failed}`]));
  // A single scenario prints its checks and a sum.
  const [, passed = '0', failed = '0'] =
    /^Total: (\d+) passed, (\d+) failed/m.exec(text) ?? /^Passed: (\d+)\/\d+, (\d+) failed/m.exec(text) ?? [];
  return { code, scenarios, passed: Number(passed), failed: Number(failed) };
}
