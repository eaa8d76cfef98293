import { decodeBase64url } from '#gateway/core/base64url.ts';
import { type Hit, hit } from './finding.ts';
import type { Subject } from './subject.ts';
import { swells } from './words.ts';

const base64 = /[A-Za-z0-9+/_-]{40,}/g;
const base32 = /(?<![A-Za-z0-9])[A-Z2-7]{40,}(?![A-Za-z0-9])/;
const hex = /(?:0x)?[0-9a-fA-F]{32,}/g;
/** One encoded character after the other: nobody writes a description so. */
const runs: readonly (readonly [run: RegExp, what: string])[] = [
  [/(?:\\u\{?[0-9a-fA-F]{4,6}\}?){4}/, 'escapes of code points'],
  [/(?:\\x[0-9a-fA-F]{2}){4}/, 'escapes of bytes'],
  [/(?:&#x?[0-9a-fA-F]{2,6};){4}/, 'character references'],
  [/(?:%[0-9a-fA-F]{2}){4}/, 'percent escapes'],
  [/(?:\b[01]{8}\b ?){4}/, 'bits'],
  [/data:[\w/+.-]{0,60};base64,[\w+/]{16}/, 'a data URL'],
];

export const encodedText = ({ texts }: Subject): readonly Hit[] =>
  texts.flatMap(({ pointer, text }) => {
    // Pictures come as data URLs, and the protocol says so.
    if (text.length < 16 || pointer.startsWith('/icons/')) return [];
    if (swells(text)) return [hit(pointer, 'characters that fold to far more text', text)];
    const run = runs.find(([shape]) => shape.test(text));
    if (run) return [hit(pointer, `encoded text: ${run[1]}`, text)];
    if ((text.match(/%[0-9a-fA-F]{2}/g)?.length ?? 0) >= 8)
      return [hit(pointer, 'encoded text: percent escapes', text)];
    if (base32.test(text)) return [hit(pointer, 'encoded text: base32', text)];
    const blob = [...text.matchAll(base64)].map(([one]) => one).find(isBase64);
    if (blob !== undefined) return [hit(pointer, `encoded text: base64${meaning(blob)}`, blob)];
    const digits = [...text.matchAll(hex)].map(([one]) => one.replace(/^0x/, '')).find(isHexText);
    return digits === undefined ? [] : [hit(pointer, 'encoded text: hexadecimal', digits)];
  });

/** Long, of all three sorts of character, and no path or identifier: those have words between their separators. */
function isBase64(one: string): boolean {
  if (!/[a-z]/.test(one) || !/[A-Z]/.test(one) || !/[0-9]/.test(one)) return false;
  return Math.max(...one.split(/[/_-]/).map((part) => part.length)) >= 24 || printableShare(decoded(one)) > 0.9;
}

/** Whole groups of four: what is cut off would not change what it reads like. */
const decoded = (one: string): Uint8Array =>
  decodeBase64url(
    one
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .slice(0, one.length - (one.length % 4)),
  ) ?? new Uint8Array();

function meaning(blob: string): string {
  const bytes = decoded(blob);
  return printableShare(bytes) > 0.9 ? ` of ${JSON.stringify(String.fromCharCode(...bytes.slice(0, 60)))}` : '';
}

const printableShare = (bytes: Uint8Array): number =>
  bytes.length === 0 ? 0 : bytes.reduce((sum, one) => sum + (one >= 0x20 && one < 0x7f ? 1 : 0), 0) / bytes.length;

/** A digest is hexadecimal too, but does not read as text. */
function isHexText(one: string): boolean {
  const bytes = Uint8Array.from({ length: Math.min(one.length >> 1, 256) }, (_, at) =>
    Number.parseInt(one.slice(at * 2, at * 2 + 2), 16),
  );
  return printableShare(bytes) > 0.9;
}
