import type { TestGateway } from './gateway.ts';

/** What something that was done leaves behind at a gateway. */
export interface LeftBehind<Got> {
  readonly got: Got;
  /** The audit lines that it wrote. */
  readonly lines: readonly Record<string, unknown>[];
  /** Where a secret stands: in the audit, the log or the metrics. */
  readonly leaks: readonly string[];
}

/** @param secrets What may stand nowhere: of a token its signature neither. They are longer than 20 characters. */
export async function leftBy<Got>(
  sekisho: TestGateway,
  send: () => Promise<Got>,
  secrets: readonly string[],
): Promise<LeftBehind<Got>> {
  const before = await sekisho.audit();
  const got = await send();
  const lines = (await sekisho.audit()).slice(before.length);
  const places = Object.entries({
    audit: JSON.stringify(lines),
    log: JSON.stringify(sekisho.log),
    metrics: await sekisho.metrics(),
  });
  const sought = secrets
    .flatMap((secret) => [secret, secret.split('.')[2] ?? ''])
    .filter((secret) => secret.length > 20);
  const leaks = places.flatMap(([place, text]) => (sought.some((secret) => text.includes(secret)) ? [place] : []));
  return { got, lines, leaks };
}
