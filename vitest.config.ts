import { defineConfig } from 'vitest/config';

/**
 * What has to hold whoever carries calls to `http:` servers: `npm run test:undici` runs it with undici in the place of our
 * own client.
 */
const eitherWay = [
  'test/adapters/upstream/{http-*,either,parking}.test.ts',
  'test/adapters/upstream/modern/*.test.ts',
  'test/gateway/upstreams.test.ts',
];

/**
 * What compares times, or needs many processes to have their turn: run after all the others and one file at a time, or it
 * would measure the other tests.
 */
const alone = [
  'test/adapters/policy/{fuzz,host-prices,host-builtins,prepare}.test.ts',
  'test/adapters/upstream/sse.test.ts',
  'test/core/{redacted-answer,secret-facts,secret-kinds}.test.ts',
  'test/core/schema/bounded.test.ts',
  'test/gateway/{many-sessions,policy-reload-load,token-flood}.test.ts',
];

const own = { provide: { carrier: 'own' } } as const;

export default defineConfig({
  test: {
    // Most tests wait for sockets, children and timers: one more at a time than two cores can run.
    ...{ testTimeout: 20_000, hookTimeout: 60_000, maxWorkers: 3 },
    // Files share a process, and load the gateway once: a third less work. No test changes what another one relies on.
    isolate: false,
    globalSetup: 'test/support/compiled-pack.ts',
    projects: [
      { extends: true, test: { ...own, name: 'sekisho', include: ['test/**/*.test.ts'], exclude: alone } },
      { extends: true, test: { ...own, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'undici', include: eitherWay, provide: { carrier: 'undici' } } },
    ],
  },
});
