/** What is sent and what has to come back: the same for every row. Ids have nine digits, so that lengths never differ. */
export const firstId = 100_000_000;

/** 29 more tools stand beside it, so that the view is not trivial. */
export const toolName = 'search_issues';
export const toolCount = 30;

/** What an agent asks: other words in each call. About 425 bytes as a message. */
const textOf = (id: number): string => `checkpoint ${id} keeps refusing the release branch of the payments service`;

/** A message as text: its id and its arguments are its own. */
export function callText(id: number, tool: string): string {
  const query = textOf(id);
  return (
    `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":{"query":"${query}",` +
    `"project":"acme/payments","labels":["bug","release","needs-triage"],"state":"open","sort":"updated","limit":25,` +
    `"since":"2026-01-01T00:00:00Z","include_comments":true,"cursor":null,"fields":["id","title","author","updated"],"note":"asked by the bench"}}}`
  );
}

const row = (n: number): string =>
  `#${4000 + n} release branch is refused at the checkpoint; opened by dev-${n}, updated 2026-01-0${n}, labels bug, release.`;
const rows = Array.from({ length: 8 }, (_, n) => row(n + 1)).join(' ');

/** The result of a call, about a kilobyte: it repeats what was asked, so that no answer fits another call. */
export const resultText = (query: string): string =>
  `{"content":[{"type":"text","text":${JSON.stringify(`${query}: ${rows}`)}}],"isError":false}`;

/** The answer as it has to arrive. */
export const expected = (id: number): { readonly id: number; readonly result: string } => ({
  id,
  result: resultText(textOf(id)),
});
