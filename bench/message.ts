/** What is sent and what has to come back: the same for every row. Ids have nine digits, so that lengths never differ. */
export const firstId = 100_000_000;

/** Of a server. Most of them nobody calls: a view is not trivial. */
export const usualTools = 30;

/** One of four calls. All but `same` ask with other words each time; `same` differs in its id and its note only. */
export type CallKind = 'small' | 'same' | 'large' | 'events';

export const toolOf: Readonly<Record<CallKind, string>> = {
  small: 'search_issues',
  same: 'search_issues',
  large: 'export_issues',
  events: 'watch_issues',
};

/** Events of an answer that is a stream: its progress, and the answer itself. */
export const eventCount = 64;

/** What an agent asks. About 425 bytes as a message. */
const queryOf = (id: number, kind: CallKind): string =>
  `checkpoint ${kind === 'same' ? firstId : id} keeps refusing the release branch of the payments service`;
const noteOf = (id: number, kind: CallKind): string => (kind === 'same' ? `asked by ${id}` : 'asked by the bench');

/** What stands in the message of a client of 2026-07-28, and in an earlier one's headers. */
const envelope =
  '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},' +
  '"io.modelcontextprotocol/clientInfo":{"name":"sekisho-bench","version":"1"}';

export interface Asked {
  readonly kind: CallKind;
  /** The name of the tool as this caller is told it. */
  readonly tool: string;
  readonly modern: boolean;
}

/** A message as text: its id and its arguments are its own. */
export function callText(id: number, { kind, tool, modern }: Asked): string {
  const meta = [modern ? envelope : '', kind === 'events' ? `"progressToken":${id}` : ''].filter((part) => part !== '');
  return (
    `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${tool}","arguments":{"query":"${queryOf(id, kind)}",` +
    `"project":"acme/payments","labels":["bug","release","needs-triage"],"state":"open","sort":"updated","limit":25,` +
    `"since":"2026-01-01T00:00:00Z","include_comments":true,"cursor":null,"fields":["id","title","author","updated"],` +
    `"note":"${noteOf(id, kind)}"}${meta.length > 0 ? `,"_meta":{${meta.join(',')}}` : ''}}}`
  );
}

const row = (n: number): string =>
  `#${4000 + n} release branch is refused at the checkpoint; opened by dev-${n}, updated 2026-01-0${1 + (n % 9)}, labels bug, release.`;
const rowsOf = (length: number): string => Array.from({ length }, (_, n) => row(n + 1)).join(' ');
const rows = { few: rowsOf(8), many: rowsOf(880) } as const;

/** What a server answers: about a kilobyte, or a hundred. It repeats what was asked, so that no answer fits another call. */
export const contentText = (query: string, note: string, tool: string): string =>
  `[{"type":"text","text":${JSON.stringify(`${query} (${note}): ${tool === toolOf.large ? rows.many : rows.few}`)}}]`;

/** The content of the answer as it has to arrive. */
export const expected = (id: number, kind: CallKind): string =>
  contentText(queryOf(id, kind), noteOf(id, kind), toolOf[kind]);
