import { errorCodes } from '#gateway/core/error-codes.ts';
import { modernRevisions } from '#gateway/core/exchange.ts';
import { ownCapabilities } from '#gateway/core/extensions.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import { aboutOf } from '#gateway/core/upstream-status.ts';
import type { Link } from '../link.ts';
import { askOnce } from '../session.ts';
import { envelopeFor } from './envelope.ts';
import { canonical } from './result.ts';

/** What `server/discover` showed. */
export type Found =
  | { readonly era: 'modern'; readonly capabilities: JsonObject; readonly instructions: string | null }
  | { readonly era: 'legacy' };

const answerBytes = 1024 * 1024;

/** Asks for the gateway itself, as a request of the modern era. */
export async function askModern(
  link: Link,
  limits: Limits,
  {
    method,
    params,
    bytes = answerBytes,
  }: { readonly method: string; readonly params: JsonObject; readonly bytes?: number },
): Promise<JsonObject | Refusal> {
  const envelope = envelopeFor({ method, params, mirrors: [], client: null, declared: ownCapabilities });
  if (isRefusal(envelope)) return envelope;
  const result = await askOnce(link, { method, params, session: null, limits, answerBytes: bytes, envelope });
  if (isRefusal(result)) return result;
  const ending = canonical({ failures: link.failures, method, declared: {} }, { kind: 'result', result, source: null });
  return ending.kind === 'result' ? ending.result : link.failures.invalid(`answered ${method} with no whole result`);
}

/**
 * Which era a server speaks, asked in the modern one. A refusal is what stood in the way of knowing: it is never taken for
 * a server of the older era.
 */
export async function discover(link: Link, limits: Limits): Promise<Found | Refusal> {
  const ask = () => askModern(link, limits, { method: 'server/discover', params: {} });
  const first = await ask();
  // Unsupported, says one that names our revision among its own: it is asked once more with it (protocol.md C2).
  const again = isRefusal(first) && first.data.code === errorCodes.versionUnsupported && first.data.speaksOurs === true;
  const result = again ? await ask() : first;
  if (isRefusal(result)) return isLegacyAnswer(result) ? { era: 'legacy' } : result;
  const { supportedVersions, capabilities = {}, instructions } = result;
  // Some answer this and list only older revisions (observed, protocol.md C2).
  const speaks = Array.isArray(supportedVersions) && modernRevisions.some((one) => supportedVersions.includes(one));
  if (!speaks) return { era: 'legacy' };
  if (!isJsonObject(capabilities)) return link.failures.invalid('declared capabilities that are not an object');
  return { era: 'modern', capabilities, instructions: typeof instructions === 'string' ? instructions : null };
}

function isLegacyAnswer({ data }: Refusal): boolean {
  const { code, status } = data;
  // It knows of headers and capabilities, so it is of the modern era and dislikes ours.
  if (code === errorCodes.headerMismatch || code === errorCodes.capabilityMissing) return false;
  if (typeof code === 'number') return true;
  return typeof status === 'number' && status >= 400 && aboutOf(status) === 'request';
}
