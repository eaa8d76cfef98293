import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The Grafana dashboards of config/dashboards, as far as a test wants to know them. */
export interface Query {
  readonly panel: string;
  readonly expr: string;
  /** Nothing may come back: the panel's description then says `(may be empty)`. */
  readonly allowEmpty: boolean;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource?: { readonly uid: string };
  }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
}

export interface Dashboard {
  readonly file: string;
  readonly text: string;
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const folder = join(import.meta.dirname, '../../config/dashboards');

export function readDashboards(): Dashboard[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.map((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return { ...(JSON.parse(text) as Omit<Dashboard, 'file' | 'text'>), file, text };
  });
}

export const queriesOf = ({ panels }: Dashboard): Query[] =>
  panels.flatMap(({ title, description = '', targets = [] }) =>
    targets.map(({ expr }) => ({ panel: title, expr, allowEmpty: description.includes('(may be empty)') })),
  );

/** The expression as Grafana would send it with "All" chosen everywhere. */
export const substituted = (expr: string, rateInterval: string): string =>
  expr.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$(server|tool)\b/g, '.*');

const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'group_left', 'group_right']);

/** Metric names in an expression: what stands before a `{`, a `[`, or alone, and is no function, label or keyword. */
export function metricNames(expr: string): string[] {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ');
  const words = [...bare.matchAll(/\b[a-zA-Z_:][\w:]*\b(?!\s*\()/g)].map(([word]) => word);
  return [...new Set(words.filter((word) => !keywords.has(word)))];
}
