import { defineConfig } from 'vitest/config';

/** What has to hold whoever carries calls to `http:` servers: run once more with undici in the place of our own client. */
const eitherWay = [
  'test/adapters/upstream/{http-*,either,parking}.test.ts',
  'test/adapters/upstream/modern/*.test.ts',
  'test/gateway/upstreams.test.ts',
];

export default defineConfig({
  test: {
    ...{ testTimeout: 20_000, hookTimeout: 60_000 },
    projects: [
      { extends: true, test: { name: 'sekisho', include: ['test/**/*.test.ts'], provide: { carrier: 'own' } } },
      { extends: true, test: { name: 'undici', include: eitherWay, provide: { carrier: 'undici' } } },
    ],
  },
});
