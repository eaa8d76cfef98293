import { z } from 'zod';
import { rangeTrouble } from './egress.ts';
import { parseDuration, parseSize } from './units.ts';

export const size = z
  .string()
  .meta({ description: 'A size with its unit: 256KiB, 8MiB.', pattern: '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB)$' })
  .transform((text, context) => parseSize(text) ?? complain(context, `"${text}" is not a size: write 256KiB or 8MiB`));

export const duration = z
  .string()
  .meta({ description: 'A duration with its unit: 500ms, 30s, 8h.', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$' })
  .transform(
    (text, context) => parseDuration(text) ?? complain(context, `"${text}" is not a duration: write 30s or 8h`),
  );

function complain(context: { addIssue(issue: string): void }, message: string): never {
  context.addIssue(message);
  return z.NEVER;
}

export const httpUrl = z.string().refine((text) => /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text), {
  error: (issue) => `"${String(issue.input)}" is not an http(s) URL`,
});
/** In the one form that there is of it: an issuer is compared as a text. */
export const httpsUrl = z.string().refine((text) => /^https:\/\/[^\s#@]+$/.test(text) && URL.canParse(text), {
  error: (issue) => `"${String(issue.input)}" is not an https URL`,
});
/** Of the private ranges only: nothing opens what no gateway has to reach. */
export const addressRange = z.string().refine((text) => rangeTrouble(text) === null, {
  error: (issue) => `"${String(issue.input)}" ${rangeTrouble(String(issue.input))}`,
});
/** A relative one starts at the folder of the file it stands in. */
export const path = z.string().min(1);
export const port = z.int().min(0).max(65_535);
/** How far a server can be trusted. */
export const tiers = ['internal', 'partner', 'public', 'local', 'quarantined'] as const;
/** One word of an OAuth scope (RFC 6749 §3.3). */
export const scopeWord = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/);
export const pointer = z.string().regex(/^(\/[^/]*)+$/, 'a JSON pointer such as /path');
