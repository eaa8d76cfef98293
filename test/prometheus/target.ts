import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMetrics, type Metrics } from '#gateway/adapters/telemetry/metrics.ts';
import { learn } from '#gateway/core/call.ts';
import { outcomes } from '#gateway/core/call-end.ts';
import { type Reason, refusals } from '#gateway/core/refusals.ts';
import { aCall, anEnd, aRefusedEnd, aServer, aTarget } from '#test/support/call-ends.ts';

/** Something that Prometheus can scrape, busy with calls that end in every way there is. */
export interface Target {
  /** `host:port`, as a scrape config names it. */
  readonly address: string;
  /** The page as it is now. */
  page(): Promise<string>;
  close(): Promise<void>;
}

const targets = [
  aTarget('read_file'),
  aTarget('write_file', { action: 'write' }),
  aTarget('search', { server: aServer('web', { transport: 'http' }) }),
];

/** The real metrics behind a real server, fed with the ends of calls twenty times a second. */
export async function startTarget(): Promise<Target> {
  let written = 0;
  const metrics = createMetrics({
    build: { version: '0.0.0-test' },
    gauges: {
      inflight: () => 2,
      streams: () => 1,
      servers: () => [
        { id: 'files', up: true, tools: 12, findings: [], drift: ['changed'] },
        { id: 'web', up: false, tools: 3, findings: ['tag_block'], drift: [] },
      ],
      revision: () => 'sha256-test',
      policy: () => ({ revision: 'sha256-test', broken: null, reloads: { swapped: written, unchanged: 0, broken: 0 } }),
      shadow: () => ({ same: written, changed: 1, dropped: 0 }),
      decisions: () => ({ written, dropped: 0 }),
      audit: () => ({ written, dropped: 0 }),
      spansDropped: () => 0,
    },
  });
  const timer = setInterval(() => {
    written += feed(metrics);
  }, 50);
  const server = createServer(async (_, response) => {
    const page = await metrics.render();
    response.writeHead(200, { 'content-type': metrics.contentType }).end(page);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    page: () => metrics.render(),
    async close() {
      clearInterval(timer);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One call for every outcome and every refusal, at every server; says how many. */
function feed(metrics: Metrics): number {
  const ends = [
    ...targets.flatMap((target) => outcomes.map((outcome) => anEnd({ target, outcome }))),
    ...(Object.keys(refusals) as Reason[]).map((reason) => aRefusedEnd(reason)),
    anEnd({ call: aCall({ method: 'tools/list' }), target: null }),
    anEnd({ call: learn(aCall(), { approval: { id: 'apr_1', state: 'consumed' as const, by: 'bo' } }) }),
  ];
  for (const end of ends) metrics.recorder.record(end);
  for (const phase of ['authenticate', 'route', 'classify', 'authorize']) metrics.spent(phase, 0.00007);
  return ends.length;
}
