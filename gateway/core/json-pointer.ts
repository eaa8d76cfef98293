/** One member of a JSON pointer (RFC 6901 §3). */
export const pointerPart = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** The name that one member of a JSON pointer stands for (RFC 6901 §4). */
export const pointerName = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');
