import { z } from 'zod';
import { configSchema } from '#gateway/core/config.ts';

/** A node of a JSON Schema, as far as we read it. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

const interpolation = { type: 'string', pattern: '\\$\\{(env|file):', description: 'From outside the file.' } as const;

/** The schema of `gateway.yaml` for editors: draft 7 is what the YAML language server knows best. */
export function jsonSchema(): Readonly<Record<string, unknown>> & SchemaNode {
  const made = z.toJSONSchema(configSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema: node, path }) => {
      if (zodSchema === configSchema) delete node.id;
      // A key is never interpolated.
      if (path.at(-1) !== 'propertyNames') acceptInterpolation(node);
    },
  });
  const { $ref: _, definitions, $schema, ...rest } = made as Record<string, unknown> & { definitions?: object };
  const root = Object.values(definitions ?? {})[0] ?? rest;
  return { $schema, ...root };
}

/** `${env:PORT}` may stand where a number does: the value is read as what the schema asks for. */
function acceptInterpolation(node: Record<string, unknown>): void {
  const text = node.type === 'string';
  const scalar = text || node.type === 'integer' || node.type === 'number' || node.type === 'boolean';
  const narrow = !text || 'pattern' in node || 'enum' in node || 'format' in node;
  if (!scalar || !narrow || 'const' in node) return;
  const { default: fallback, description, ...own } = node;
  for (const member of Object.keys(own)) delete node[member];
  node.anyOf = [own, interpolation];
}

/** The nodes that describe what stands at a path; several where the grammar offers a choice. */
export function nodesAt(root: SchemaNode, path: readonly (string | number)[]): readonly SchemaNode[] {
  let nodes = choices(root);
  for (const part of path) {
    nodes = nodes.flatMap((node) => {
      const own = typeof part === 'number' ? node.items : node.properties?.[part];
      const next = own ?? (typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined);
      return next ? choices(next) : [];
    });
  }
  return nodes;
}

const choices = (node: SchemaNode): readonly SchemaNode[] => {
  const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  return inner.length === 0 ? [node] : inner.flatMap(choices);
};
