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

export default defineConfig({
  test: {
    // Most tests wait for sockets, children and timers: one more at a time than two cores can run.
    ...{ testTimeout: 20_000, hookTimeout: 60_000, maxWorkers: 3 },
    // Files share a process, and load the gateway once: a third less work. No test changes what another one relies on.
    isolate: false,
    projects: [
      { extends: true, test: { name: 'sekisho', include: ['test/**/*.test.ts'], provide: { carrier: 'own' } } },
      { extends: true, test: { name: 'undici', include: eitherWay, provide: { carrier: 'undici' } } },
    ],
  },
});
