/** Reads the text that Prometheus scrapes. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function readPage(page: string): { families: Map<string, { type: string; help: string }>; series: Series[] } {
  const families = new Map<string, { type: string; help: string }>();
  const series: Series[] = [];
  for (const line of page.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind) {
      const known = families.get(name) ?? { type: '', help: '' };
      families.set(name, kind === 'HELP' ? { ...known, help: rest } : { ...known, type: rest });
    } else if (line !== '') series.push(readSeries(line));
  }
  return { families, series };
}

function readSeries(line: string): Series {
  const [, name = '', braces = '', value = ''] = /^([a-zA-Z_:]\w*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const labels = [...braces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text]);
  return { name, labels: Object.fromEntries(labels), value: Number(value) };
}

/** The sum of all series of this name that have these labels. */
export function total(page: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = readPage(page).series.filter(
    (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  );
  return wanted.reduce((sum, one) => sum + one.value, 0);
}
