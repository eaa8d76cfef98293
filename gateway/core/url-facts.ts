import { parseAddress } from './address.ts';
import { elementsAt, type FactFlaw } from './argument-values.ts';
import { type HostClass, hostClass } from './egress.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pointerName, pointerPart } from './json-pointer.ts';

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
    // Left out, as schemas allow it.
    if (value === null) continue;
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
/** Schemas of one tool that are looked at: a few that refer to one another are soon more than can be. */
const most = 2_000;

/** Pointers of the arguments that a tool's schema calls URLs by itself, also below lists, and where they may be left out. */
export function urlPointers(schema: JsonValue | undefined): readonly string[] {
  const found = new Set<string>();
  let left = most;
  visit(schema, '', 0);
  return [...found];

  function visit(one: JsonValue | undefined, at: string, depth: number): void {
    if (!isJsonObject(one) || depth > deepest || --left < 0) return;
    // The format alone: what is optional is written as a list of types, or as one of several schemas.
    if (typeof one.format === 'string' && formats.has(one.format)) found.add(at);
    for (const form of ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => one[keyword] ?? [])) visit(form, at, depth + 1);
    if (typeof one.$ref === 'string') visit(referred(schema, one.$ref), at, depth + 1);
    visit(one.items, `${at}/*`, depth + 1);
    if (!isJsonObject(one.properties)) return;
    for (const [name, part] of Object.entries(one.properties)) visit(part, `${at}/${pointerPart(name)}`, depth + 1);
  }
}

/** What a reference into the schema itself leads to. */
function referred(root: JsonValue | undefined, ref: string): JsonValue | undefined {
  if (!ref.startsWith('#/')) return undefined;
  let at = root;
  for (const part of ref.slice(2).split('/')) {
    const name = pointerName(part);
    at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}
