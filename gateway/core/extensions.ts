import { appsExtension } from './apps.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/**
 * Extensions that are brought from one side to the other. Any other is declared to neither: its methods would be refused, and
 * what is not declared is not relied on (basic/versioning §Extension Negotiation).
 */

/** The one kind of page that there is. */
const page = 'text/html;profile=mcp-app';
const apps: JsonObject = { [appsExtension]: { mimeTypes: [page] } };

/** What servers hear of what a caller declared. Rebuilt: there are few different declarations, however many ways to write them. */
export function extensionsOf({ extensions }: JsonObject): JsonObject {
  const declared = isJsonObject(extensions) ? extensions[appsExtension] : undefined;
  const shows = isJsonObject(declared) && Array.isArray(declared.mimeTypes) && declared.mimeTypes.includes(page);
  return shows ? { extensions: apps } : {};
}

/** What servers hear when the gateway looks at them: what they list with pages, callers without them can use as well. */
export const ownCapabilities: JsonObject = { extensions: apps };
