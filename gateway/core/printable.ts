/**
 * What a terminal would act on, or a person would not see: control and format characters (bidi overrides, zero width),
 * everything Unicode calls ignorable (tags, variation selectors, fillers), separators, spaces that are not the space,
 * private use, unassigned code points and lone surrogates.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;

/** A text from elsewhere as it may be printed on one line: what would not be seen is written `\u{…}`. */
export const printable = (text: string): string =>
  text.replaceAll(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/**
 * A JSON value as a reviewer reads it. Inside a JSON string a backslash is doubled, so `\u{…}` can only have been
 * written by us: what is shown means exactly one value.
 */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).split('\n').map(printable).join('\n');
