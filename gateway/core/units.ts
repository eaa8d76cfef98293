const sizes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const times = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `256KiB` → bytes; null when it is not a size. A size is written with its unit, so that nobody has to guess. */
export const parseSize = (text: string): number | null => parse(text, sizes);

/** `30s` → milliseconds; null when it is not a duration. */
export const parseDuration = (text: string): number | null => parse(text, times);

function parse(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([A-Za-z]+)$/.exec(text);
  const unit = units[match?.[2] ?? ''];
  return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : null;
}

/** Bytes as a person reads them. */
export function showSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes >= sizes[unit]) return `${Number((bytes / sizes[unit]).toFixed(1))} ${unit}`;
  }
  return `${bytes} B`;
}
