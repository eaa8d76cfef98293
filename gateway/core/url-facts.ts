import { parseAddress } from './address.ts';
import { elementsAt, type FactFlaw } from './argument-values.ts';
import { type HostClass, hostClass } from './egress.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pointerPart } from './json-pointer.ts';

/** A URL argument as the policy sees it. */
export interface UrlFact {
  /** JSON pointer of the argument. */
  readonly pointer: string;
  /** Lower case; null where the text begins with none. */
  readonly scheme: string | null;
  /** Lower case, without a dot at its end or brackets; null where there is none, or it is not sure which it is. */
  readonly host: string | null;
  /** As written, or the scheme's own; null where nobody knows. */
  readonly port: number | null;
  /** `name` was not looked up: what it stands for may be anything. `unknown` where there is no sure host. */
  readonly ip_class: HostClass | 'unknown';
}

/** The facts about every URL that a tool's pointers lead to. Anything but a text there is a flaw. */
export function urlFacts(args: JsonObject, pointers: readonly string[]): readonly UrlFact[] | FactFlaw {
  const facts: UrlFact[] = [];
  for (const { pointer, value } of pointers.flatMap((one) => elementsAt(args, one))) {
    if (typeof value !== 'string') return { pointer, why: 'a URL must be a text' };
    facts.push({ pointer, ...urlFact(value) });
  }
  return facts;
}

const ports: Readonly<Record<string, number>> = { http: 80, ws: 80, https: 443, wss: 443, ftp: 21, ssh: 22, git: 9418 };

/**
 * Only where every reader would find the same host is there one. Programs differ over backslashes, spaces, control
 * characters, user names (`https://good@evil`), numbers for addresses (`0x7f.1`) and letters beyond ASCII; a URL with any of
 * these has a host that nobody can be sure of.
 */
export function urlFact(text: string): Omit<UrlFact, 'pointer'> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? null;
  const unsure = { scheme, host: null, port: null, ip_class: 'unknown' } as const;
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === null || authority === undefined || !/^[!-~]+$/.test(text) || /[\\@%]/.test(authority)) return unsure;
  // Old readers look for the last @ first: https://good#@evil.
  if (/^[^/]*:\/\/[^/?#]+[?#].*@/.test(text) || !URL.canParse(text)) return unsure;
  const { hostname, port } = new URL(text);
  const written = authority.replace(/:\d*$/, '');
  if (hostname.toLowerCase() !== written) return unsure;
  const host = written.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  // What ends in a number is an address to some (127.1), and so it has to be one to all.
  const isNumeric = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host) || host.includes(':');
  if (host === '' || (isNumeric && parseAddress(host) === null)) return unsure;
  return { scheme, host, port: port === '' ? (ports[scheme] ?? null) : Number(port), ip_class: hostClass(host) };
}

const formats = new Set(['uri', 'url', 'iri']);
const deepest = 8;

/** Pointers of the arguments that a tool's schema calls URLs by itself, also below lists. */
export function urlPointers(schema: JsonValue | undefined, at = '', depth = 0): readonly string[] {
  if (!isJsonObject(schema) || depth > deepest) return [];
  if (schema.type === 'string') return typeof schema.format === 'string' && formats.has(schema.format) ? [at] : [];
  const items = urlPointers(schema.items, `${at}/*`, depth + 1);
  const properties = isJsonObject(schema.properties) ? Object.entries(schema.properties) : [];
  return [...items, ...properties.flatMap(([name, one]) => urlPointers(one, `${at}/${pointerPart(name)}`, depth + 1))];
}
