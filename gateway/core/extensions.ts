import { appsExtension } from './apps.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { Target } from './snapshot.ts';

/**
 * Extensions that are brought from one side to the other. Any other is declared to neither: its methods would be refused, and
 * what is not declared is not relied on (basic/versioning §Extension Negotiation).
 */

/** Skills (SEP-2640) are files that a server lists with their digests, which hosts check. */
const skillsExtension = 'io.modelcontextprotocol/skills';

/**
 * Could this be a file of a skill? One that was changed on the way is none any more, and looks like an attack to who checks
 * it. Which URIs are of skills only the server's own list says, so where it has skills any resource may be one.
 */
export function mayBeSkill({ name, server }: Target): boolean {
  const { extensions } = server.capabilities;
  const has = isJsonObject(extensions) && Object.hasOwn(extensions, skillsExtension);
  return has || name.slice(0, 'skill:'.length).toLowerCase() === 'skill:';
}

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
