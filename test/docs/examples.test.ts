import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import type { Config } from '#gateway/core/config.ts';
import { tiers } from '#gateway/core/config-scalars.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** What people copy from the guides has to work: every config that they show is read as a gateway reads it. */

const head = 'version: 1\npolicy: { path: policies }\n';
const aRule = `identity:
  runs:
    - id: r
      issuer: https://ci.test
      audience: https://gw.test/oauth/token
      match: { project: "1" }
      run: { id: "ci:\${job}" }
      grant: { tiers: [internal], tools: ["a.*"] }
`;
const aServer = 'servers:\n  a:\n    tier: internal\n    url: https://a.test/mcp\n';

/** Where a part belongs that a page shows by itself, by how it begins. */
const places: readonly (readonly [RegExp, string])[] = [
  [/^ {4}- id:/, 'identity:\n  runs:\n'],
  [/^ {6}sender:/, aRule],
  [/^ {4}credential:/, aServer],
  [/^\w/, ''],
];

interface Example {
  readonly title: string;
  readonly text: string;
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = ''], at) => {
    const [, before = ''] = places.find(([begins]) => begins.test(yaml)) ?? [];
    const title = /(?:id|issuer|tier|kind): ([\w-]+)/.exec(yaml)?.[1] ?? yaml.split('\n', 1)[0]?.trim() ?? '';
    return { title: `${page} ${at + 1}: ${title}`, text: `${before}${yaml}` };
  });
}

async function load(text: string): Promise<Config> {
  await using folder = await scratchFolder({ secret: 'a-secret' });
  const whole = /^identity:/m.test(text) ? head : `${head}identity: { development: true }\n`;
  const file = await folder.write(
    'gateway.yaml',
    whole + text.replaceAll(/\$\{file:[^}]+\}/g, `\${file:${folder.at('secret')}}`),
  );
  const loaded = await loadConfig(file, {});
  if (isConfigErrors(loaded)) throw new Error(loaded.issues.map(showIssue).join('\n'));
  return loaded.config;
}

const [identity, trust] = [examplesOf('identity.md'), examplesOf('trust.md')];

test.each([...identity, ...trust])('$title is a config that a gateway starts with', async ({ text }) => {
  expect(await load(text)).toMatchObject({ version: 1 });
});

describe('the guides show', () => {
  const loadAll = (examples: readonly Example[]): Promise<Config[]> =>
    Promise.all(examples.map(({ text }) => load(text)));

  test('a rule for each platform, people, signers, and every kind of credential', async () => {
    const configs = await loadAll(identity);
    const rules = configs.flatMap(({ identity: { runs } }) => runs.map(({ id }) => id));
    expect(rules).toEqual(expect.arrayContaining(['gha-acme', 'gitlab-acme', 'k8s-agents', 'spire', 'idp-robots']));
    expect(configs.some(({ identity: { people } }) => people.length > 0)).toBe(true);
    expect(configs.some(({ identity: { signers } }) => signers.length > 0)).toBe(true);
    expect(configs.some(({ identity: { development } }) => development)).toBe(true);
    const kinds = configs.flatMap(({ servers }) => Object.values(servers).map(({ credential }) => credential.kind));
    expect(kinds).toEqual(expect.arrayContaining(['client_credentials', 'jwt_assertion', 'token_exchange']));
  });

  test('a server of every tier', async () => {
    const shown = (await loadAll(trust)).flatMap(({ servers }) => Object.values(servers).map(({ tier }) => tier));
    expect(tiers.filter((tier) => !shown.includes(tier))).toEqual([]);
  });
});
