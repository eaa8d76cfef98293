import { describe, expect, test } from 'vitest';
import { metrics } from '#gateway/core/metric-names.ts';
import { metricNames, queriesOf, readDashboards } from '#test/support/dashboards.ts';

const dashboards = readDashboards();
/** Of the process, and so not of our table: they are prom-client's. */
const ofTheProcess = new Set([
  'process_cpu_seconds_total',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_used_bytes',
]);
const familyOf = (name: string): string => (name in metrics ? name : name.replace(/_(bucket|sum|count)$/, ''));
const used = dashboards.flatMap(queriesOf).flatMap(({ expr }) => metricNames(expr));

test('there is one, and no two have the same uid', () => {
  expect(dashboards.length).toBeGreaterThan(0);
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
});

test('the names in an expression are found', () => {
  const expr =
    'topk(3, sum by (le, a) (rate(x_total{b="y_total"}[5m])) / on (job) group_left z:rule) or vector(0) and w';
  expect(metricNames(expr).sort()).toEqual(['w', 'x_total', 'z:rule']);
});

test('every metric in a panel is one that we write, and every one we write is in a panel', () => {
  const families = new Set(used.map(familyOf));
  expect([...families].filter((name) => !(name in metrics) && !ofTheProcess.has(name))).toEqual([]);
  expect(Object.keys(metrics).filter((name) => !families.has(name))).toEqual([]);
});

describe.each(dashboards)('$file', (dashboard) => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  test('is a classic dashboard that Grafana 10 and later read', () => {
    expect(dashboard.schemaVersion).toBe(42);
    expect(dashboard.uid).toMatch(/^[a-z0-9-]{1,40}$/);
    expect(dashboard.title).not.toBe('');
  });

  test('gives every panel an id of its own, a title, a unit and a place', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { title, fieldConfig } of panels) expect(fieldConfig?.defaults.unit, title).toMatch(/\w/);
    for (const { title, gridPos } of panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    const places = panels.map(({ gridPos }) => `${gridPos.x},${gridPos.y}`);
    expect(new Set(places).size).toBe(places.length);
  });

  test('lets who imports it choose the data source, and names no job or instance', () => {
    expect(dashboard.templating.list.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'datasource: datasource',
      'server: query',
      'tool: query',
    ]);
    const uids = new Set([...dashboard.text.matchAll(/"uid": "([^"]+)"/g)].map(([, uid]) => uid));
    expect([...uids].sort()).toEqual(['${datasource}', dashboard.uid].sort());
    for (const { expr } of queriesOf(dashboard)) expect(expr).not.toMatch(/\b(job|instance)\s*[=!]/);
  });

  test('takes every rate over the interval that Grafana works out', () => {
    for (const { expr, panel } of queriesOf(dashboard)) {
      const ranges = [...expr.matchAll(/\[([^\]]+)\]/g)].map(([, range]) => range);
      expect(
        [...new Set(ranges)].filter((range) => range !== '$__rate_interval'),
        panel,
      ).toEqual([]);
      expect(/\brate\(/.test(expr), panel).toBe(ranges.length > 0);
    }
  });

  test('selects no histogram bucket by a bound that Prometheus 3 writes differently', () => {
    for (const { expr } of queriesOf(dashboard)) expect(expr).not.toMatch(/\ble\s*=/);
  });
});
