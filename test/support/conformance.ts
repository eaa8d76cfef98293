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

/** Both versions install a program of one name, so it is run by its package's path. */
const programOf = (version: keyof typeof versions): string =>
  resolve(import.meta.dirname, '..', '..', 'node_modules', versions[version], 'dist', 'index.js');

/**
 * Runs one scenario against the client of test/conformance/client.ts, which goes through a gateway of its own. `era`: what
 * that client speaks, where it is not what the server does.
 */
export async function runClient(scenario: string, revision: string, era?: 'legacy' | 'modern'): Promise<SuiteRun> {
  const command = `node ${resolve(import.meta.dirname, '..', 'conformance', 'client.ts')}`;
  const args = ['client', '--command', command, '--scenario', scenario, '--spec-version', revision];
  const env = era ? { SEKISHO_CLIENT_ERA: era } : {};
  const { code, stdout, stderr } = await finished('node', [programOf('next'), ...args], 120_000, env);
  const [, passed = '0', of = '0', failed = '0'] =
    /^Passed: (\d+)\/(\d+), (\d+) failed/m.exec(`${stdout}\n${stderr}`) ?? [];
  return { code, scenarios: { [scenario]: `${passed}/${of}` }, passed: Number(passed), failed: Number(failed) };
}

/** Runs the suite against a server. */
export async function runSuite(
  version: keyof typeof versions,
  url: string,
  args: readonly string[],
): Promise<SuiteRun> {
  const { code, stdout, stderr } = await finished(
    'node',
    [programOf(version), 'server', '--url', url, ...args],
    120_000,
  );
  const text = `${stdout}\n${stderr}`;
  const lines = [...text.matchAll(/^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed/gm)];
  const scenarios = Object.fromEntries(lines.map(([, name = '', passed, failed]) => [name, `${passed}/${failed}`]));
  // A single scenario prints its checks and a sum.
  const [, passed = '0', failed = '0'] =
    /^Total: (\d+) passed, (\d+) failed/m.exec(text) ?? /^Passed: (\d+)\/\d+, (\d+) failed/m.exec(text) ?? [];
  return { code, scenarios, passed: Number(passed), failed: Number(failed) };
}
