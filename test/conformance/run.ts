import { runClient, runSuite } from '#test/support/conformance.ts';
import { type Eras, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer } from '#test/support/gateway.ts';
import { startGatewayProcess, writeConfig } from '#test/support/gateway-process.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';
import { startTokenShim } from '#test/support/token-shim.ts';
import { clientScenarios } from './client-scenarios.ts';

/**
 * Every suite of the official conformance tests, of a server alone and through the gateway, in each era the server may
 * speak; and the gateway as the client of the suite's own servers. What must pass is asserted by suites.test.ts and
 * clients.test.ts; this shows how far the rest is. It takes about three minutes.
 */
const sets: readonly (readonly [version: '0.1.16' | 'next', ...args: string[]])[] = [
  ['0.1.16', '--suite', 'all'],
  ['next', '--requirements', '2025-11-25'],
  ['next', '--requirements', '2026-07-28'],
  ['next', '--suite', 'all', '--spec-version', '2025-03-26'],
  ['next', '--suite', 'all', '--spec-version', '2025-06-18'],
  ['next', '--suite', 'all', '--spec-version', '2026-07-28'],
  ['next', '--suite', 'draft'],
];

for (const eras of ['both', 'legacy', 'modern'] as const satisfies readonly Eras[]) {
  const upstream = await startDual(eras);
  const servers = { up: anOpenServer(upstream.url) };
  await using folder = await scratchFolder();
  const sekisho = await startGatewayProcess(await writeConfig(folder.path, { servers }), folder.path);
  const minted = await sekisho.control.mint({});
  if (!('token' in minted)) throw new Error(JSON.stringify(minted));
  const shim = await startTokenShim(`${sekisho.url}/server/up`, () => minted.token);
  process.stdout.write(`\nA server that speaks ${eras}: passed/failed alone, passed/failed through the gateway\n`);
  for (const [version, ...args] of sets) {
    const alone = await runSuite(version, upstream.url.replace('127.0.0.1', 'localhost'), args);
    const through = await runSuite(version, shim.url, args);
    const counts = [alone, through].map(({ passed, failed }) => `${passed}/${failed}`.padStart(8)).join('  ');
    process.stdout.write(`${counts}  ${version} ${args.join(' ')}\n`);
    const passedOf = (counts = '0'): number => Number.parseInt(counts, 10);
    const worse = Object.keys(alone.scenarios).filter(
      (name) => passedOf(through.scenarios[name]) < passedOf(alone.scenarios[name]),
    );
    for (const name of worse) {
      process.stdout.write(
        `                    ${name}: ${alone.scenarios[name]} alone, ${through.scenarios[name]} through\n`,
      );
    }
  }
  await shim.close();
  await sekisho.stop('SIGTERM');
  await upstream.close();
}

process.stdout.write(
  '\nThe gateway as a client: passed/all, before it a client of the era of sessions, and one of 2026-07-28\n',
);
for (const [revision, scenarios] of Object.entries(clientScenarios)) {
  for (const scenario of scenarios) {
    const counts: string[] = [];
    for (const era of ['legacy', 'modern'] as const) {
      counts.push((await runClient(scenario, revision, era)).scenarios[scenario] ?? '');
    }
    process.stdout.write(`${counts.map((count) => count.padStart(8)).join('  ')}  ${revision} ${scenario}\n`);
  }
}
