import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const github = 'https://token.actions.githubusercontent.com';
const rule = {
  id: 'gha',
  issuer: github,
  audience: 'https://mcp.example.com/oauth/token',
  match: { repository_id: '1234', ref: 'refs/heads/main' },
  run: { id: 'gha:${repository_id}:${run_id}' },
  grant: { tiers: ['internal'], tools: ['tickets.*'] },
};

async function load(runs: readonly object[], over: object = {}) {
  const config = { version: 1, url: 'https://mcp.example.com', policy: { path: 'p' }, identity: { runs }, ...over };
  await using folder = await scratchFolder({ 'gateway.yaml': stringify(config) });
  const loaded = await loadConfig(folder.at('gateway.yaml'), { run_id: 'from the environment' });
  if (isConfigErrors(loaded)) return loaded.issues.map((issue) => showIssue(issue)).join('\n');
  return { run: loaded.config.identity.runs[0]?.run.id, folder: folder.path, config: loaded.config };
}

test('a rule is enough for somebody to be able to call, and its templates are left to the claims', async () => {
  expect(await load([rule])).toMatchObject({ run: 'gha:${repository_id}:${run_id}' });
});

test('files are read from the folder of the config', async () => {
  const loaded = await load([{ ...rule, issuer: 'https://k8s.test', keys: { file: 'keys/k8s.json' } }]);
  if (typeof loaded === 'string') throw new Error(loaded);
  expect(loaded.config.identity.runs[0]?.keys.file).toBe(`${loaded.folder}/keys/k8s.json`);
});

test.each<[string, object[], RegExp]>([
  ['an empty issuer', [{ ...rule, issuer: '' }], /"" is not an https URL/],
  ['an issuer over http', [{ ...rule, issuer: 'http://ci.test' }], /is not an https URL/],
  ['an issuer inside', [{ ...rule, issuer: 'https://10.0.0.1' }], /is no address that the gateway may connect to/],
  ['an empty audience', [{ ...rule, audience: '' }], /audience – must not be empty/],
  ['no audience', [{ ...rule, audience: undefined }], /audience – is missing/],
  ['nothing to match', [{ ...rule, match: {} }], /must name at least one claim/],
  ['a match of nothing', [{ ...rule, match: { repository_id: '' } }], /must not be empty/],
  ['a match that leaves everybody in', [{ ...rule, match: { ref: 'x' } }], /this issuer serves everybody/],
  ['a match of a name', [{ ...rule, match: { repository: 'a/b' } }], /is a name that somebody else can get/],
  ['an age of nothing', [{ ...rule, verify: { max_age: '0s' } }], /must be between 1s and 24h/],
  ['a skew of a minute', [{ ...rule, verify: { skew: '60s' } }], /must be between 0s and 30s/],
  ['algorithms of two families', [{ ...rule, verify: { algs: ['RS256', 'ES256'] } }], /of one family only/],
  ['no algorithm', [{ ...rule, verify: { algs: [] } }], /must not be empty/],
  ['HS256', [{ ...rule, verify: { algs: ['HS256'] } }], /"HS256" is not one of/],
  ['tokens of an hour', [{ ...rule, grant: { ...rule.grant, ttl: '1h' } }], /must be between 1m and 15m/],
  ['every tool of every server', [{ ...rule, grant: { ...rule.grant, tools: ['*'] } }], /a tool such as/],
  [
    'a budget of a kind that is not kept',
    [{ ...rule, grant: { ...rule.grant, budget: { usd: 5 } } }],
    /unknown key "usd"/,
  ],
  ['a run without a claim in its name', [{ ...rule, run: { id: 'gha:all' } }], /a run id begins with a word/],
  ['a run without a word before it', [{ ...rule, run: { id: '${run_id}' } }], /a run id begins with a word/],
  ['a run of development', [{ ...rule, run: { id: 'dev:${run_id}' } }], /a run id begins with a word/],
  ['two rules of one name', [rule, { ...rule, match: { repository_id: '2' } }], /is the name of another rule already/],
  [
    'two ways to verify one issuer',
    [rule, { ...rule, id: 'b', audience: 'https://other.test' }],
    /must verify tokens as rule "gha" of the same issuer does/,
  ],
])('refuses %s', async (_, runs, complaint) => {
  expect(await load(runs)).toMatch(complaint);
});

test.each([
  ['http://mcp.example.com', /url – must be https/],
  ['https://mcp.example.com/gw', /url – must have no path/],
])('refuses the url %s', async (url, complaint) => {
  expect(await load([rule], { url })).toMatch(complaint);
});

test('the cluster that a rule asks must be one that the gateway may connect to; its files stand beside the config', async () => {
  const token_review = { url: 'https://169.254.169.254', token: 'keys/token', ca: 'keys/ca.crt' };
  expect(await load([{ ...rule, token_review }])).toMatch(/token_review.*no address that the gateway may connect to/);
  const loaded = await load([{ ...rule, token_review: { ...token_review, url: 'https://kubernetes.default.svc' } }]);
  if (typeof loaded === 'string') throw new Error(loaded);
  expect(loaded.config.identity.runs[0]?.token_review).toMatchObject({
    ...{ token: `${loaded.folder}/keys/token`, ca: `${loaded.folder}/keys/ca.crt` },
  });
});
