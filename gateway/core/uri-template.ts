/**
 * Does a URI fit an RFC 6570 template? Literals must occur in order, each expression takes at least one character.
 * Linear in both texts, without a regular expression: the template comes from a server (CVE-2026-0621).
 */
export const fitsTemplate = (template: string, uri: string): boolean => fits(literalsOf(template), uri);

/** The texts between its expressions: for who asks of one template often. */
export const literalsOf = (template: string): readonly string[] => template.split(/\{[^{}]*\}/);

export function fits(literals: readonly string[], uri: string): boolean {
  const last = literals.length - 1;
  const head = literals[0] ?? '';
  if (last === 0) return uri === head;
  if (!uri.startsWith(head)) return false;
  let at = head.length;
  for (let i = 1; i < last; i++) {
    const found = uri.indexOf(literals[i] ?? '', at + 1);
    if (found < 0) return false;
    at = found + (literals[i] ?? '').length;
  }
  const tail = literals[last] ?? '';
  return uri.length >= at + 1 + tail.length && uri.endsWith(tail);
}
