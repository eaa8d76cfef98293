import { finished } from './finished.ts';

/** What the official suite says of a server, by scenario: `passed, failed`. */
export async function activeScenarios(url: string): Promise<Record<string, string>> {
  const { stdout, stderr } = await finished('conformance', ['server', '--url', url, '--suite', 'active'], 60_000);
  const lines = [...`${stdout}\n${stderr}`.matchAll(/^[✓✗] ([\w-]+): (\d+ passed, \d+ failed)/gm)];
  return Object.fromEntries(lines.map(([, name = '', counts = '']) => [name, counts]));
}
