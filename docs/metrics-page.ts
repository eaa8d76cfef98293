import { type MetricRow, metrics, mostLabelSets } from '#gateway/core/metric-names.ts';

const intro = `# Metrics

<!-- Made by \`npm run docs\` from gateway/core/metric-names.ts: change it there. -->

What \`GET /metrics\` on the admin listener says, besides the \`process_…\` and \`nodejs_…\` metrics of the process itself. How to
read it stands in [observability.md](observability.md). Names and labels are never renamed or given another meaning. "at most"
is the number of label sets; what comes after shares one that reads \`_overflow\`.

| metric | type | labels | at most | |
|---|---|---|---|---|
`;

/** docs/metrics.md: one row a metric. */
export function metricsPage(): string {
  const lines = Object.entries(metrics).map(([name, row]: [string, MetricRow]) => {
    const labels = row.labels.map((label) => `\`${label}\``).join(' ');
    const most = row.labels.length === 0 ? 1 : mostLabelSets(row);
    return [`| \`${name}\``, row.type, labels, most, `${row.help} |`].join(' | ');
  });
  return `${intro}${lines.join('\n')}\n`;
}
