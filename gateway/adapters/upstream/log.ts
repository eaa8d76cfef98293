/** The part of a logger that an upstream needs; pino has this shape. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A text of unknown origin as one harmless line: control and format characters become escapes, the rest is cut. */
export const harmless = (text: string, atMost = 300): string => {
  const shown = text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return shown.length > atMost ? `${shown.slice(0, atMost)}…` : shown;
};
