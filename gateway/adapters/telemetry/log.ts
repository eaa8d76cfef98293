import { type DestinationStream, destination, pino } from 'pino';
import type { Log } from '#gateway/ports.ts';

const secretName = /token|secret|authorization|password|cookie|credential|api[-_]?key/i;
/** A bearer value or a JWT that slipped into a text, such as the message of an error. */
const secretText = /\bBearer\s+[\w.~+/=-]+|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/gi;
const hidden = '[redacted]';
const deepest = 6;
const longest = 4_096;

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Standard error, unless a test says otherwise: standard output is for data. */
  readonly to?: DestinationStream;
}

/** What the gateway says about itself, as JSON lines. Whatever is named like a secret, or looks like one, is left out. */
export function createLog({ level, to = destination({ fd: 2, sync: true }) }: LogOptions): Log {
  const out = pino({ level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }, to);
  const say =
    (severity: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      if (out.isLevelEnabled(severity)) out[severity](shown(fields, 0), shownText(message));
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shownText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= deepest) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => shown(item, depth + 1));
  if (value instanceof Error) return shownError(value, depth);
  const pairs = Object.entries(value).map(([name, item]) => [
    name,
    secretName.test(name) ? hidden : shown(item, depth + 1),
  ]);
  return Object.fromEntries(pairs);
}

/** An error's own fields may hold a whole request: only its name, code, message, stack and cause are said. */
function shownError(error: Error & { readonly code?: unknown }, depth: number): object {
  return {
    name: error.name,
    message: shownText(error.message),
    ...(typeof error.code === 'string' || typeof error.code === 'number' ? { code: error.code } : {}),
    stack: shownText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: shown(error.cause, depth + 1) }),
  };
}

const shownText = (text: string): string =>
  (text.length > longest ? `${text.slice(0, longest)}…` : text).replace(secretText, hidden);
