import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonSchema } from '#gateway/adapters/config/schema.ts';
import { compatibilityPage } from './compatibility-page.ts';
import { configurationPage } from './configuration-page.ts';
import { metricsPage } from './metrics-page.ts';
import { refusalsPage } from './refusals-page.ts';

/** Everything in the tree that is made from the code. A test fails when one of them is stale. */
export const pages: readonly { readonly path: string; readonly text: () => string }[] = [
  { path: 'config/gateway.schema.json', text: () => `${JSON.stringify(jsonSchema(), null, 2)}\n` },
  { path: 'docs/compatibility.md', text: compatibilityPage },
  { path: 'docs/configuration.md', text: configurationPage },
  { path: 'docs/metrics.md', text: metricsPage },
  { path: 'docs/refusals.md', text: refusalsPage },
];

async function write(root: string): Promise<void> {
  for (const { path, text } of pages) {
    const before = await readFile(join(root, path), 'utf8').catch(() => '');
    if (before === text()) continue;
    await writeFile(join(root, path), text());
    console.log(`wrote ${path}`);
  }
}

if (import.meta.main) await write(join(import.meta.dirname, '..'));
