import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import { printable } from '#gateway/core/printable.ts';

/** What a command has around it. Only cli/main.ts takes it from the process. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The name of the operating system's user. */
  readonly user: string;
  readonly input: Readable;
  /** Data. */
  readonly output: Writable;
  /** All else. */
  readonly errors: Writable;
  /** Whether a person sits in front of it and can be asked. */
  readonly interactive: boolean;
  now(): number;
}

/** The data a command was asked for: one JSON document, or lines for people. */
export function print(shell: Shell, json: boolean | undefined, value: unknown, text: () => string): void {
  shell.output.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`);
}

/** A remark that is no data. */
export const remark = (shell: Shell, text: string): void => void shell.errors.write(`${text}\n`);

type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/** Colour where it is wanted: a terminal, and no NO_COLOR. */
export const styled = (shell: Shell, style: Style, text: string): string =>
  styleText(style, text, { stream: shell.output as NodeJS.WriteStream, validateStream: true });

/** Columns as wide as their widest cell. What comes from servers and agents is printed, never interpreted. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
