import type { Log } from '#gateway/ports.ts';

export interface Said {
  readonly level: keyof Log;
  readonly fields: object;
  readonly message: string;
}

/** A log that remembers what it was told. */
export function keptLog(): Log & { readonly said: readonly Said[] } {
  const said: Said[] = [];
  const say = (level: keyof Log) => (fields: object, message: string) => void said.push({ level, fields, message });
  return { said, debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

export const silentLog = (): Log => keptLog();
