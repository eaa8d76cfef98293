import type { Gauges } from '#gateway/adapters/telemetry/metrics.ts';

/** What the rest of a gateway would say of itself. */
export const someGauges = (over: Partial<Gauges> = {}): Gauges => ({
  inflight: () => 3,
  streams: () => 2,
  servers: () => [
    { id: 'files', up: true, tools: 12, findings: [], drift: ['changed', 'changed', 'added'] },
    { id: 'web', up: false, tools: 0, findings: ['tag_block', 'secret_place', 'tag_block'], drift: [] },
  ],
  revision: () => 'sha256-snapshot',
  policy: () => ({ revision: 'sha256-policy', broken: null, reloads: { swapped: 2, unchanged: 1, broken: 0 } }),
  shadow: () => ({ same: 7, changed: 3, dropped: 0 }),
  decisions: () => ({ written: 10, dropped: 0 }),
  audit: () => ({ written: 41, dropped: 1 }),
  spansDropped: () => 5,
  ...over,
});
