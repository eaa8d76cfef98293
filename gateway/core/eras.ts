import { type Era, isModern, metaKeys, modernRevisions, supportedRevisions } from './exchange.ts';
import type { MessageHeaders } from './header-agreement.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { Message } from './message.ts';
import { logLevels } from './methods.ts';
import { type Refusal, refuse } from './refusals.ts';

/** What a message shows of its era: in the body a claim (the reserved `_meta` key), beside it a header. */
interface Signs {
  readonly kind: Message['kind'];
  readonly method: string | null;
  readonly claims: boolean;
  /** What is claimed, as text. */
  readonly claimed: string;
  /** What is wrong with the envelope of a message that claims, or null. */
  readonly flaw: string | null;
  readonly headers: MessageHeaders;
  readonly headerModern: boolean;
}

interface Rung {
  readonly holds: (signs: Signs) => boolean;
  readonly is: Era | ((signs: Signs) => Refusal);
}

const isRequest = ({ kind }: Signs): boolean => kind === 'request';
const isReply = ({ kind }: Signs): boolean => kind === 'reply';

/** `initialize` is legacy, unless its envelope really is a modern one: that era has no such method, and says so. */
const isHandshake = ({ kind, method, claims, flaw, claimed }: Signs): boolean =>
  kind === 'request' && method === 'initialize' && !(claims && flaw === null && isModern(claimed));

/** Whether it must be there is asked later, and of requests only; what is there must be right. */
const otherMethod = ({ kind, method, claims, claimed, headers, headerModern }: Signs): boolean => {
  const modern = kind === 'request' ? claims : claims ? isModern(claimed) : headerModern;
  return modern && headers.method !== undefined && headers.method !== method;
};

const spoken: readonly string[] = modernRevisions;
const mismatch = (why: string) => (): Refusal => refuse('header_mismatch', why);
const missing = `"params._meta" must hold "${metaKeys.revision}".`;

/**
 * Telling eras apart: the first rung that holds decides (protocol.md C1); where none does, the message is legacy. The
 * body is what counts, a header can only disagree with it.
 */
const ladder: readonly Rung[] = [
  { holds: (it) => isReply(it) && !it.headerModern, is: 'legacy' },
  { holds: isReply, is: () => refuse('message_malformed', 'A client of this revision posts no replies.') },
  { holds: (it) => isHandshake(it) && it.headerModern, is: mismatch('initialize has no modern revision.') },
  { holds: isHandshake, is: 'legacy' },
  // Never taken for a legacy message: whatever it claims would silently be lost.
  { holds: ({ flaw }) => flaw !== null, is: ({ flaw }) => refuse('envelope_missing', flaw ?? '') },
  {
    holds: ({ claims, headers, claimed }) => claims && headers.revision !== undefined && headers.revision !== claimed,
    is: mismatch('MCP-Protocol-Version is not what the body says.'),
  },
  { holds: otherMethod, is: mismatch('Mcp-Method is not the method of the body.') },
  { holds: (it) => it.claims && !spoken.includes(it.claimed), is: (it) => versionUnsupported(it.claimed) },
  {
    holds: (it) => it.claims && isRequest(it) && it.headers.revision === undefined,
    is: mismatch('MCP-Protocol-Version is missing.'),
  },
  { holds: ({ claims }) => claims, is: 'modern' },
  { holds: (it) => it.headerModern && isRequest(it), is: () => refuse('envelope_missing', missing) },
  {
    holds: (it) => it.headerModern && !spoken.includes(it.headers.revision ?? ''),
    is: (it) => versionUnsupported(it.headers.revision ?? ''),
  },
  { holds: ({ headerModern }) => headerModern, is: 'modern' },
];

const metaOf = (message: Message): JsonObject =>
  message.kind !== 'reply' && isJsonObject(message.params._meta) ? message.params._meta : {};

/** Does it carry the reserved `_meta` key, whatever stands there? */
export const claimsRevision = (message: Message): boolean => Object.hasOwn(metaOf(message), metaKeys.revision);

export function eraOf(message: Message, headers: MessageHeaders): Era | Refusal {
  const headerModern = headers.revision !== undefined && isModern(headers.revision);
  const meta = metaOf(message);
  const claims = claimsRevision(message);
  const signs: Signs = {
    kind: message.kind,
    method: message.kind === 'reply' ? null : message.method,
    claims,
    claimed: claims ? String(meta[metaKeys.revision]) : '',
    flaw: claims ? envelopeFlaw(message.kind, meta) : null,
    headers,
    headerModern,
  };
  for (const { holds, is } of ladder) if (holds(signs)) return typeof is === 'string' ? is : is(signs);
  return 'legacy';
}

/** What is wrong with the reserved members of `_meta` (basic/index §_meta); a notification names its revision only. */
function envelopeFlaw(kind: Message['kind'], meta: JsonObject): string | null {
  const { revision, capabilities, info, logLevel } = metaKeys;
  if (typeof meta[revision] !== 'string') return `"${revision}" must be a string.`;
  if (kind === 'notification') return null;
  if (!isJsonObject(meta[capabilities])) return `"${capabilities}" must be an object.`;
  if (meta[info] !== undefined && !isNamed(meta[info])) return `"${info}" must have a "name" and a "version".`;
  if (meta[logLevel] !== undefined && !isLevel(meta[logLevel])) return `"${logLevel}" must be a log level.`;
  return null;
}

const isNamed = (info: unknown): boolean =>
  isJsonObject(info) && typeof info.name === 'string' && typeof info.version === 'string';
const isLevel = (level: unknown): boolean => (logLevels as readonly unknown[]).includes(level);

/** Who asks for a revision that nobody speaks here is told which ones are spoken. */
export function versionUnsupported(requested: string): Refusal {
  const data = { supported: [...supportedRevisions], requested: requested.slice(0, 32) };
  return refuse('version_unsupported', `Supported: ${supportedRevisions.join(', ')}.`, data);
}
