import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createEgress } from '#gateway/adapters/egress/egress.ts';
import { openCredentials } from '#gateway/compose/credentials.ts';
import { configSchema } from '#gateway/core/config.ts';
import { openedRanges } from '#gateway/core/egress.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

test('what broke when a caller was signed for is logged, and the caller is refused', async () => {
  await using folder = await scratchFolder();
  const file = folder.at('key.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const { servers } = configSchema.parse({
    version: 1,
    policy: { path: 'p' },
    servers: {
      s: {
        tier: 'internal',
        url: 'https://s.test/mcp',
        credential: { kind: 'jwt_assertion', assertion_key: file },
      },
    },
  });
  const logged: string[] = [];
  const write = (_: object, text: string): void => void logged.push(text);
  const log = { debug: write, info: write, warn: write, error: write };
  const parts = { egress: createEgress({ opened: openedRanges([]) }), log, url: 'https://gw.test' };
  const { of } = await openCredentials('s', servers.s as never, parts);
  // JSON has no such number.
  const credential = of?.({ principal: 7n as never, run: 'r1' });
  expect(await credential?.ready()).toMatchObject({ refused: 'credential_unavailable' });
  expect(logged).toEqual(['the credential of a server could not be made', 'the credential of a server cannot be had']);
});
