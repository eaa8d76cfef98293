import { canonical } from './canonical.ts';
import type { JsonObject } from './json.ts';
import { patched } from './json-patch.ts';
import type { Obligations } from './obligations.ts';
import { cleaner, mostText, redactedArguments, textIn, withTexts } from './redaction.ts';

/** The arguments as the obligations want them sent: the very same where nothing is to change, null where that cannot be done. */
export function changedArguments(args: JsonObject, { patches, unsent }: Obligations): JsonObject | null {
  if (patches.length === 0 && unsent === null) return args;
  const put = patched(args, patches);
  const clean = put === null || unsent === null ? put : redactedArguments(put, unsent);
  return clean !== null && canonical(clean) === canonical(args) ? args : clean;
}

/**
 * Whether what a caller sends back to a server that had asked may be sent. It is not changed: a person gave these answers,
 * and nobody has a schema of them.
 */
export function sendable(responses: JsonObject | null, { unsent }: Obligations): boolean {
  if (responses === null || unsent === null) return true;
  if (textIn(responses) > mostText) return false;
  const clean = withTexts(responses, cleaner(unsent.kinds, []));
  return clean !== undefined && canonical(clean) === canonical(responses);
}
