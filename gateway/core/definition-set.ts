import { canonical } from './canonical.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import {
  type DefinitionKind,
  type Definitions,
  definitionKinds,
  definitionName,
  definitionsOf,
  type Sha256,
  withoutVolatile,
} from './manifest.ts';

const mostOfAKind = 512;
const mostCharacters = 64 * 1024;
const mostNameCharacters = 256;
/** Levels of one definition (§3.2): whatever walks it may recurse. */
export const mostDepth = 32;

/** Names that stand in a list more than once, so that nobody can say which of them is meant. */
export function repeatedNames(kind: DefinitionKind, definitions: readonly JsonObject[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const definition of definitions) {
    const name = definitionName(kind, definition);
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return repeated;
}

/** Why this set cannot be approved as it is, or null. */
export function flawOf(definitions: Definitions): string | null {
  for (const kind of definitionKinds) {
    const list = definitionsOf(definitions, kind);
    if (list.length > mostOfAKind) return `there are more than ${mostOfAKind} definitions of kind ${kind}`;
    for (const name of repeatedNames(kind, list)) return `the ${kind} ${JSON.stringify(name)} is defined twice`;
    for (const definition of list) {
      const flaw = flawOfOne(kind, definition);
      if (flaw) return flaw;
    }
  }
  return (definitions.instructions?.length ?? 0) > mostCharacters ? 'the instructions are larger than 64 KiB' : null;
}

function flawOfOne(kind: DefinitionKind, definition: JsonObject): string | null {
  const name = kind === 'template' ? definition.uriTemplate : definition.name;
  if (typeof name !== 'string' || name === '') return `a definition of kind ${kind} has no name`;
  if (name.length > mostNameCharacters) return `a definition of kind ${kind} has a name of ${name.length} characters`;
  if (nestsDeeper(definition, mostDepth)) return `the ${kind} ${JSON.stringify(name)} nests deeper than ${mostDepth}`;
  return canonical(definition).length > mostCharacters
    ? `the ${kind} ${JSON.stringify(name)} is larger than 64 KiB`
    : null;
}

export function nestsDeeper(value: JsonValue, than: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (than === 0) return true;
  const parts = isJsonObject(value) ? Object.values(value) : value;
  return parts.some((part) => part !== undefined && nestsDeeper(part, than - 1));
}

/** The set as it is approved: without the members that no digest covers, so that nobody can write into them. */
export function settled(definitions: Definitions): Definitions {
  const { tools, prompts, templates, instructions } = definitions;
  return {
    tools: tools.map((one) => withoutVolatile(one)),
    prompts: prompts.map((one) => withoutVolatile(one)),
    templates: templates.map((one) => withoutVolatile(one)),
    instructions,
  };
}

/** What a reviewer approves, as one digest: the whole set, without what no digest covers. */
export function setDigest(definitions: Definitions, sha256: Sha256): string {
  const { tools, prompts, templates, instructions } = settled(definitions);
  return `sha256-${sha256(canonical({ tools: [...tools], prompts: [...prompts], templates: [...templates], instructions }))}`;
}

/** The set without what no name leads to for certain. */
export function unambiguous(definitions: Definitions): Definitions {
  const kept = (kind: DefinitionKind): readonly JsonObject[] => {
    const list = definitionsOf(definitions, kind);
    const repeated = repeatedNames(kind, list);
    return list.filter((one) => {
      const name = definitionName(kind, one);
      return name !== '' && !repeated.has(name);
    });
  };
  return { ...definitions, tools: kept('tool'), prompts: kept('prompt'), templates: kept('template') };
}
