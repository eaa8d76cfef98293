import { type RefusalRow, refusals } from '#gateway/core/refusals.ts';

const intro = `# Refusals

<!-- Made by \`npm run docs\` from gateway/core/refusals.ts: change it there. -->

What the gateway says instead of an answer. \`sekisho explain REASON\` prints a row. A refusal of a tool call that a model can
act on is a *result* with \`isError: true\`; the others are JSON-RPC errors. Reasons are never renamed.

| reason | code | HTTP | as | retry | from | |
|---|---|---|---|---|---|---|
`;

/** docs/refusals.md: one row a reason. */
export function refusalsPage(): string {
  const table: Readonly<Record<string, RefusalRow>> = refusals;
  const lines = Object.entries(table).map(([reason, { code, http, as, retry, from, says }]) =>
    [`| \`${reason}\``, code, http, as, retry, from, `${says} |`].join(' | '),
  );
  return `${intro}${lines.join('\n')}\n`;
}
