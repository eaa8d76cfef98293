import { spawnSync } from 'node:child_process';
import { metrics } from '#gateway/core/metric-names.ts';
import { metricNames, queriesOf, readDashboards, substituted } from '#test/support/dashboards.ts';
import { readPage } from '#test/support/metrics-page.ts';
import { installed, type Prometheus, startPrometheus, until } from './prometheus.ts';
import { startTarget, type Target } from './target.ts';

/** `npm run test:prometheus`: does every panel of every dashboard answer on a real Prometheus that scraped us? */

let passed = 0;
let failed = 0;

async function check(title: string, work: () => Promise<string | null> | string | null): Promise<void> {
  const why = await Promise.resolve()
    .then(work)
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  if (why === null) passed++;
  else failed++;
  console.log(why === null ? `ok      ${title}` : `FAILED  ${title}\n        ${why}`);
}

const missing = ['prometheus', 'promtool'].filter((program) => !installed(program));
if (missing.length > 0) {
  console.error(`${missing.join(' and ')} not found. Install: apt-get install -y prometheus`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const target = await startTarget();
try {
  const prometheus = await startPrometheus(target.address);
  try {
    await checkPage(target);
    // A rate needs two samples; eight are enough for one over ten seconds that is not an accident.
    await until(async () => ((await prometheus.query('count_over_time(up[1m])'))[0] ?? 0) >= 8, 'eight scrapes are in');
    await checkDashboards(prometheus);
  } finally {
    await prometheus.close();
  }
} finally {
  await target.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function checkPage({ page }: Target): Promise<void> {
  const text = await page();
  await check('promtool finds nothing wrong with the page', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    return status === 0 ? null : `${stdout}${stderr}`;
  });
  await check('the page has every metric of the table', () => {
    const { families } = readPage(text);
    return complaint(Object.keys(metrics).filter((name) => !families.has(name)));
  });
}

async function checkDashboards(prometheus: Prometheus): Promise<void> {
  const known = new Set(await namesOf(prometheus));
  for (const dashboard of readDashboards()) {
    const queries = queriesOf(dashboard);
    await check(`${dashboard.file}: every metric it names was scraped`, () =>
      complaint([...new Set(queries.flatMap(({ expr }) => metricNames(expr)))].filter((name) => !known.has(name))),
    );
    for (const { panel, expr, allowEmpty } of queries) {
      await check(`${dashboard.file}: ${panel}: ${expr}`, async () => {
        const values = await prometheus.query(substituted(expr, '10s'));
        if (values.length === 0 && !allowEmpty) return 'nothing came back';
        return values.every(Number.isFinite) ? null : `not numbers: ${values.join(' ')}`;
      });
    }
  }
}

/** All metric names that Prometheus holds of our target. */
async function namesOf(prometheus: Prometheus): Promise<string[]> {
  const names = new Set<string>();
  const { families } = readPage(await target.page());
  for (const name of families.keys()) for (const end of ['', '_bucket', '_sum', '_count']) names.add(`${name}${end}`);
  const found: string[] = [];
  for (const name of names) if ((await prometheus.query(name)).length > 0) found.push(name);
  return found;
}

function complaint(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.join(', ');
}
