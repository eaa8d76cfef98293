/** What a person sees when the gateway is up: where it is, what stands behind it, how to go on. */
export interface Summary {
  readonly version: string;
  readonly url: string;
  readonly adminUrl: string;
  readonly policy: { readonly path: string; readonly revision: string };
  readonly servers: readonly ServerLine[];
  /** True when tokens can be had through the socket. */
  readonly development: boolean;
}

export interface ServerLine {
  readonly id: string;
  readonly tier: string;
  readonly up: boolean;
  readonly tools: number;
  /** Why it is down, or what is not as approved; empty when there is nothing to say. */
  readonly note: string;
}

export function welcome(summary: Summary): string {
  const { version, url, adminUrl, policy, servers, development } = summary;
  const lines = [
    '',
    `sekisho ${version}: the checkpoint is open`,
    '',
    `  url      ${url}`,
    `  admin    ${adminUrl}  (/readyz, /metrics)`,
    `  policy   ${policy.path}  (${policy.revision})`,
    '',
    ...table(servers),
    '',
    ...(development ? howToTry(url) : ['  token    from a signer of the config: identity.signers']),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function table(servers: readonly ServerLine[]): string[] {
  if (servers.length === 0) return ['  no servers: add one under "servers" in the config'];
  const rows = servers.map((server) => [
    server.id,
    server.tier,
    server.up ? 'up' : 'down',
    server.up ? `${server.tools} tools` : server.note,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}

const howToTry = (url: string): string[] => [
  '  token    npm run -s sekisho -- token',
  `  try      npx mcp-inspector --cli ${url} --transport http --method tools/list \\`,
  '             --header "Authorization: Bearer $(npm run -s sekisho -- token)"',
];
