/** A hex digest of a text; the adapter brings SHA-256. */
export type HexDigest = (text: string) => string;

const longest = 48;
const cut = 40;

export const serverIdPattern = /^[a-z0-9-]{1,12}$/;

/**
 * The name a host sees: `{server}__{tool}`, at most 48 characters of `[A-Za-z0-9_-]`. Cursor drops tools past 60 with
 * its own prefix, Gemini CLI cuts past 63 in the middle (ecosystem-and-reliability.md §1.3). A name that does not fit is
 * cut at 40 and ends in `_` and 6 characters of a digest of the whole, so it is stable over restarts.
 *
 * Names of two servers never meet: an id has no `_` and at most 12 characters, so it survives the cut.
 */
export function exposedName(server: string, tool: string, hex: HexDigest): string {
  const whole = `${server}__${tool}`;
  const plain = whole.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  if (plain === whole && whole.length <= longest) return whole;
  return `${plain.slice(0, cut)}_${hex(whole).slice(0, 6)}`;
}
