import { isJsonObject, type JsonObject } from './json.ts';

/** MCP Apps (SEP-1865): a tool may name a page of its server's, which hosts show with what the tool says. */
export const appsExtension = 'io.modelcontextprotocol/ui';

/** However it is written: a page is never taken for a resource that stands for itself. */
export const isPage = (uri: string): boolean => uri.slice(0, 'ui:'.length).toLowerCase() === 'ui:';

/** The name that `_meta.ui.resourceUri` had before; hosts still read it. */
const flat = 'ui/resourceUri';

/** The pages that a tool names; the two names for it need not agree. */
export function pagesOf({ _meta: meta }: JsonObject): readonly string[] {
  if (!isJsonObject(meta)) return [];
  const named = [isJsonObject(meta.ui) ? meta.ui.resourceUri : undefined, meta[flat]];
  return [...new Set(named.filter((uri) => typeof uri === 'string' && isPage(uri)))] as string[];
}

/** The definition of a tool, with other names for its pages. */
export function withPages(definition: JsonObject, rename: (uri: string) => string): JsonObject {
  const { _meta: meta } = definition;
  if (!isJsonObject(meta) || pagesOf(definition).length === 0) return definition;
  const renamed: JsonObject = { ...meta };
  const { ui } = meta;
  if (isJsonObject(ui) && typeof ui.resourceUri === 'string' && isPage(ui.resourceUri)) {
    renamed.ui = { ...ui, resourceUri: rename(ui.resourceUri) };
  }
  const old = meta[flat];
  if (typeof old === 'string' && isPage(old)) renamed[flat] = rename(old);
  return { ...definition, _meta: renamed };
}
