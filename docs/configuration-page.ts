import { jsonSchema, type SchemaNode } from '#gateway/adapters/config/schema.ts';

const intro = `# Configuration

<!-- Made by \`npm run docs\` from gateway/core/config.ts: change it there. -->

\`config/gateway.yaml\` is the documented default. \`sekisho validate FILE\` checks a file and says file, line and column of
everything that is wrong with it; \`sekisho schema\` prints the JSON Schema that editors complete from.

- Sizes and durations are written with their unit: \`256KiB\`, \`8MiB\`, \`500ms\`, \`30s\`, \`8h\`.
- \`\${env:NAME}\`, \`\${env:NAME:-default}\` and \`\${file:/path}\` may stand in any value, never in a key. A name that is missing
  is an error; the values are never printed. A literal \`\${\` is written \`$\${\`.
- Relative paths start at the folder of the file they stand in.
- An unknown key is an error.

| key | type | default | |
|---|---|---|---|
`;

interface Row {
  readonly key: string;
  readonly node: SchemaNode;
  readonly required: boolean;
}

/** docs/configuration.md: one row a key. */
export function configurationPage(): string {
  const lines = rows(jsonSchema(), '').map(({ key, node, required }) => {
    const fallback =
      node.default === undefined ? (required ? '**needed**' : '') : `\`${JSON.stringify(node.default)}\``;
    return `| \`${key}\` | ${typeOf(node)} | ${fallback} | ${node.description ?? ''} |`;
  });
  return `${intro}${lines.join('\n')}\n`;
}

function rows(node: SchemaNode, at: string): readonly Row[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = at === '' ? name : `${at}.${name}`;
    const own = { ...child, default: child.default ?? memberOf(node.default, name) };
    const inner = inside(own, key);
    // A map that only groups others has no row of its own.
    if (inner.length > 0 && child.properties) return inner;
    return [{ key, node: own, required: node.required?.includes(name) ?? false }, ...inner];
  });
}

const memberOf = (box: unknown, name: string): unknown =>
  typeof box === 'object' && box !== null ? Reflect.get(box, name) : undefined;

function inside(node: SchemaNode, key: string): readonly Row[] {
  if (node.properties) return rows(node, key);
  if (node.items?.properties) return rows(node.items, `${key}[]`);
  if (typeof node.additionalProperties === 'object' && node.additionalProperties.properties) {
    return rows(node.additionalProperties, `${key}.*`);
  }
  const choices = node.oneOf ?? node.anyOf ?? [];
  const found = new Map(choices.flatMap((choice) => rows(choice, key)).map((row) => [row.key, row]));
  const kinds = choices.map((choice) => choice.properties?.kind?.const).filter((kind) => kind !== undefined);
  const kind = found.get(`${key}.kind`);
  if (kind && kinds.length > 0) found.set(kind.key, { ...kind, node: { ...kind.node, enum: kinds } });
  return [...found.values()];
}

function typeOf(node: SchemaNode): string {
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.anyOf || node.oneOf) return typeOfChoice([...(node.anyOf ?? []), ...(node.oneOf ?? [])]);
  if (node.items) return node.items.properties ? 'list' : `list of ${typeOf(node.items)}`;
  if (typeof node.additionalProperties === 'object') return 'map';
  if (node.pattern?.includes('KiB')) return 'size';
  if (node.pattern?.includes('ms')) return 'duration';
  return node.type === 'object' ? 'map' : String(node.type ?? '').replace('string', 'text');
}

const typeOfChoice = (choices: readonly SchemaNode[]): string => {
  const own = choices.filter((choice) => !choice.pattern?.includes('env|file'));
  return [...new Set(own.map(typeOf))].join(' or ');
};
