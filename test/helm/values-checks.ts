import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, parseDocument, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { chartFolder } from './chart.ts';
import type { Tally } from './tally.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly additionalProperties?: unknown;
}
const schemaShape: z.ZodType<Schema> = z.looseObject({
  properties: z
    .record(
      z.string(),
      z.lazy(() => schemaShape),
    )
    .optional(),
});

/** values.yaml, its comments and values.schema.json speak of the same keys. */
export async function valuesChecks(tally: Tally): Promise<void> {
  const text = readFileSync(join(chartFolder, 'values.yaml'), 'utf8');
  const schema = schemaShape.parse(JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8')));
  const root = parseDocument(text).contents;
  await tally.check('every key of values.yaml has a "# --" comment and stands in the schema, and the reverse', () => {
    if (!isMap(root)) throw new Error('values.yaml is no map');
    const complaints = compare('', root, schema, text.split('\n'));
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  });
  await tally.check('the schema allows no unknown key wherever it names keys, but under config', () => {
    const open = openPlaces('', schema);
    if (open.join() !== '/config') throw new Error(`open: ${open.join(', ')}`);
  });
}

/** Keys that are for Helm itself, or whose members are described by the comment above them. */
const undocumented = new Set([
  '/global',
  '/probes/startup',
  '/probes/liveness',
  '/probes/readiness',
  '/resources',
  '/config',
]);

function compare(at: string, values: YAMLMap, schema: Schema, lines: readonly string[]): string[] {
  const known = new Set(Object.keys(schema.properties ?? {}));
  const complaints: string[] = [];
  for (const pair of values.items) {
    const key = String(pair.key);
    const here = `${at}/${key}`;
    if (!known.delete(key)) complaints.push(`${here} is not in the schema`);
    const inner = schema.properties?.[key];
    const group = isMap(pair.value) && inner?.properties !== undefined && !undocumented.has(here);
    if (group && isMap(pair.value) && inner) complaints.push(...compare(here, pair.value, inner, lines));
    else if (!hasComment(key, at, lines)) complaints.push(`${here} has no "# --" comment above it`);
  }
  for (const key of known) if (!undocumented.has(`${at}/${key}`)) complaints.push(`${at}/${key} is not in values.yaml`);
  return complaints;
}

function hasComment(key: string, at: string, lines: readonly string[]): boolean {
  const indent = at === '' ? '' : '  ';
  return lines.some((line, n) => line.startsWith(`${indent}${key}:`) && lines[n - 1]?.startsWith(`${indent}# -- `));
}

function openPlaces(at: string, schema: Schema): string[] {
  if (!schema.properties) return [];
  const inner = Object.entries(schema.properties).flatMap(([key, each]) => openPlaces(`${at}/${key}`, each));
  return schema.additionalProperties === false ? inner : [at, ...inner];
}
