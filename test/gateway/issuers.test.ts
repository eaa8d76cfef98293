import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { type OpenIdProvider, startOpenIdProvider } from '#test/support/openid-provider.ts';
import { claimsOf, exchange, type TokenAnswer } from '#test/support/run-tokens.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

/** Tokens as the platforms send them, member by member (their documentation, 2026-11), with the rules of docs/identity.md. */

const audience = 'https://mcp.example.com/oauth/token';
const grant = { tiers: ['internal'], tools: ['tickets.*'] };

let platform: TestIssuer;
let spire: TestIssuer;
let provider: OpenIdProvider;
let scratch: ScratchFolder;
let sekisho: TestGateway;

beforeAll(async () => {
  [platform, spire, scratch] = await Promise.all([startIssuer(), startIssuer('ES256'), scratchFolder()]);
  provider = await startOpenIdProvider({ client: audience, resource: 'https://mcp.example.com', groups: () => [] });
  await writeFile(scratch.at('cluster.jwks.json'), JSON.stringify({ keys: [platform.publicJwk()] }));
  const keys = { url: platform.jwksUrl, ca: platform.caFile };
  sekisho = await startGateway({
    identity: {
      runs: [
        {
          ...{ id: 'gha-acme', issuer: github, audience, keys, grant },
          match: { repository_owner_id: '65', repository_id: '74', ref: 'refs/heads/main', environment: 'prod' },
          run: {
            ...{ id: 'gha:${repository_id}:${run_id}:${run_attempt}', repo: 'github:${repository_id}', ref: '${ref}' },
            ...{ agent: '${job_workflow_ref}', user: 'github:${actor_id}' },
          },
        },
        {
          ...{ id: 'gitlab-acme', issuer: gitlab, audience, keys, grant, verify: { max_age: '1h' } },
          match: { project_id: '20', ref_protected: 'true' },
          run: { id: 'gitlab:${project_id}:${pipeline_id}:${job_id}', repo: 'gitlab:${project_id}', ref: '${ref}' },
        },
        {
          ...{ id: 'k8s-agents', issuer: kubernetes, audience, grant },
          keys: { file: scratch.at('cluster.jwks.json') },
          match: { '/kubernetes.io/namespace': 'agents', '/kubernetes.io/serviceaccount/name': 'reviewer' },
          run: { id: 'k8s:${/kubernetes.io/pod/uid}', agent: '${/kubernetes.io/serviceaccount/name}' },
        },
        {
          ...{ id: 'spire', issuer: spire.url, audience, keys: { ca: spire.caFile }, grant },
          verify: { algs: ['ES256'], max_age: '5m', single_use: 'none' },
          match: { sub: 'spiffe://example.com/agents/reviewer' },
          run: { id: 'spiffe:${random}', agent: '${sub}' },
        },
        {
          ...{ id: 'openid', issuer: provider.url, audience, keys: { ca: provider.caFile }, grant },
          verify: { single_use: 'none' },
          match: { sub: 'nightly-agent' },
          run: { id: 'idp:${sub}:${random}', user: 'idp:${sub}' },
        },
      ],
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  for (const one of [platform, spire, provider]) await one?.close();
  await scratch?.[Symbol.asyncDispose]();
});

const now = (): number => Math.floor(Date.now() / 1000);
const outcome = ({ status, body }: TokenAnswer): unknown[] => [status, body.reason];

const github = 'https://token.actions.githubusercontent.com';
let runs = 1000;
const githubToken = (over: Record<string, unknown> = {}): Promise<string> => {
  const run = String(++runs);
  const claims = {
    jti: `0a1b2c3d-${run}`,
    sub: 'repo:octo-org@65/octo-repo@74:environment:prod',
    environment: 'prod',
    aud: audience,
    ref: 'refs/heads/main',
    sha: '6f4a1c9be0a4d6f3b2a1',
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    actor_id: '12',
    repository_visibility: 'private',
    repository_id: '74',
    repository_owner_id: '65',
    run_id: run,
    run_number: '10',
    run_attempt: '2',
    runner_environment: 'github-hosted',
    actor: 'octocat',
    workflow: 'example-workflow',
    head_ref: '',
    base_ref: '',
    event_name: 'workflow_dispatch',
    ref_type: 'branch',
    ref_protected: 'true',
    job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
    iss: github,
    nbf: now() - 600,
    iat: now(),
    exp: now() + 300,
  };
  return platform.sign({ ...claims, ...over }, { x5t: 'eBZ_cn3sXYAd0ch4THBKHIgOwOE' });
};

describe('GitHub Actions', () => {
  test('a job of the repository, branch and environment gets its run', async () => {
    const { status, body } = await exchange(sekisho, await githubToken());
    expect(status).toBe(200);
    expect(claimsOf(body.access_token)).toMatchObject({
      sub: 'github:12',
      act: { sub: `run:gha:74:${runs}:2` },
      run: { id: `gha:74:${runs}:2`, repo: 'github:74', ref: 'refs/heads/main' },
      agent: { id: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main' },
      client_id: 'gha-acme',
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ['a workflow that code of a fork can start (pull_request_target)', { event_name: 'pull_request_target' }],
    ['a workflow that another one started', { event_name: 'workflow_run' }],
    ['the pull request of a fork', { event_name: 'pull_request', ref: 'refs/pull/7/merge' }],
    ['a repository that was recreated under the same name', { repository_id: '9074' }],
    ['an organisation that took the name over', { repository_owner_id: '9065' }],
    ['another branch', { ref: 'refs/heads/main2' }],
    ['another environment', { environment: 'dev' }],
    ['a job without an environment', { environment: undefined }],
  ])('%s is refused with 403 (A8)', async (_, over) => {
    expect(outcome(await exchange(sekisho, await githubToken(over)))).toEqual([403, 'rule_unmatched']);
  });

  test('a token for another service is worth nothing here', async () => {
    const token = await githubToken({ aud: 'https://github.com/octo-org' });
    expect(outcome(await exchange(sekisho, token))).toEqual([400, 'subject_invalid']);
  });
});

const gitlab = 'https://gitlab.com';
const gitlabToken = (over: Record<string, unknown> = {}): Promise<string> => {
  const job = String(++runs);
  const claims = {
    namespace_id: '72',
    namespace_path: 'my-group',
    project_id: '20',
    project_path: 'my-group/my-project',
    user_id: '1',
    user_login: 'sample-user',
    user_email: 'sample-user@example.com',
    user_identities: [{ provider: 'github', extern_uid: '2435223452345' }],
    pipeline_id: '574',
    pipeline_source: 'push',
    job_id: job,
    ref: 'feature-branch-1',
    ref_type: 'branch',
    ref_path: 'refs/heads/feature-branch-1',
    ref_protected: 'true',
    groups_direct: ['mygroup/mysubgroup'],
    environment: 'test-environment2',
    environment_protected: 'false',
    deployment_tier: 'testing',
    runner_id: 1,
    runner_environment: 'self-hosted',
    sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
    project_visibility: 'public',
    ci_config_ref_uri: 'gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main',
    ci_config_sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
    jti: `235b3a54-${job}`,
    iss: gitlab,
    iat: now() - 1800,
    nbf: now() - 1805,
    exp: now() + 1800,
    sub: 'project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1',
    aud: audience,
  };
  return platform.sign({ ...claims, ...over });
};

describe('GitLab', () => {
  test('a job gets its run half an hour after it began, and renews it, since it has one token', async () => {
    const token = await gitlabToken();
    const { status, body } = await exchange(sekisho, token);
    expect(status).toBe(200);
    expect(claimsOf(body.access_token)).toMatchObject({ run: { id: `gitlab:20:574:${runs}`, repo: 'gitlab:20' } });
    expect(outcome(await exchange(sekisho, token))).toEqual([400, 'subject_used']);
    expect((await exchange(sekisho, String(body.access_token))).status).toBe(200);
  });

  test.each<[string, Record<string, unknown>]>([
    ['the merge request of a fork, whose ids are its own', { project_id: '4020', project_path: 'fork/my-project' }],
    ['a branch that is not protected', { ref_protected: 'false' }],
  ])('%s is refused', async (_, over) => {
    expect(outcome(await exchange(sekisho, await gitlabToken(over)))).toEqual([403, 'rule_unmatched']);
  });
});

const kubernetes = 'https://kubernetes.default.svc.cluster.local';
const pod = { name: 'reviewer-7d9f', uid: '9c3a1f4e-2f11-4f67-8a59-0c27e4a1b2c3' };
const kubernetesToken = (inside: Record<string, unknown> = {}, over: Record<string, unknown> = {}): Promise<string> => {
  const claims = {
    aud: [audience],
    exp: now() + 600,
    iat: now(),
    iss: kubernetes,
    jti: `61e9${++runs}`,
    'kubernetes.io': {
      namespace: 'agents',
      node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
      pod,
      serviceaccount: { name: 'reviewer', uid: '7b1a5b23-43f2-4c20-83d9-a3a0a0a5f8a1' },
      ...inside,
    },
    nbf: now(),
    sub: 'system:serviceaccount:agents:reviewer',
    ...over,
  };
  // The API server sets no "typ".
  return platform.sign(claims, { typ: undefined });
};

describe('Kubernetes', () => {
  test('a pod gets a run of its own, checked against pinned keys', async () => {
    const before = platform.fetched();
    const { status, body } = await exchange(sekisho, await kubernetesToken());
    expect(status).toBe(200);
    expect(claimsOf(body.access_token)).toMatchObject({ run: { id: `k8s:${pod.uid}` }, agent: { id: 'reviewer' } });
    expect(platform.fetched()).toBe(before);
  });

  test.each<[string, Record<string, unknown>]>([
    ['another namespace', { namespace: 'default' }],
    ['another service account', { serviceaccount: { name: 'builder', uid: 'x' } }],
    ['a token that is bound to no pod', { pod: undefined }],
  ])('%s is refused', async (_, inside) => {
    expect(outcome(await exchange(sekisho, await kubernetesToken(inside)))).toEqual([403, 'rule_unmatched']);
  });

  test('a token that is also for the API server is refused', async () => {
    const token = await kubernetesToken({}, { aud: [audience, kubernetes] });
    expect(outcome(await exchange(sekisho, token))).toEqual([400, 'subject_invalid']);
  });

  test('two issuers that share keys are told apart by their names', async () => {
    const token = await kubernetesToken({}, { iss: gitlab });
    expect(outcome(await exchange(sekisho, token))).toEqual([403, 'rule_unmatched']);
  });
});

const svid = (over: Record<string, unknown> = {}): Promise<string> =>
  spire.sign({ sub: 'spiffe://example.com/agents/reviewer', aud: [audience], iss: spire.url, ...over });

describe('SPIFFE', () => {
  test('an SVID is cached and comes again: each time it gets a run of its own', async () => {
    const token = await svid();
    const answers = [await exchange(sekisho, token), await exchange(sekisho, token)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const ids = answers.map(({ body }) => (claimsOf(body.access_token).run as { id: string }).id);
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^spiffe:[0-9a-f-]{36}$/);
  });

  test.each<[string, Record<string, unknown>, unknown[]]>([
    ['of another workload', { sub: 'spiffe://example.com/agents/reviewer2' }, [403, 'rule_unmatched']],
    ['of another trust domain', { sub: 'spiffe://example.org/agents/reviewer' }, [403, 'rule_unmatched']],
    ['without an issuer', { iss: undefined }, [400, 'subject_invalid']],
    ['without a time', { iat: undefined }, [400, 'subject_invalid']],
    ['older than five minutes', { iat: now() - 301, exp: now() + 60 }, [400, 'subject_invalid']],
  ])('an SVID %s is refused', async (_, over, expected) => {
    expect(outcome(await exchange(sekisho, await svid(over)))).toEqual(expected);
  });
});

describe('an OpenID provider', () => {
  test('a real one: discovery, keys and an ID token of a sign-in with PKCE', async () => {
    const { idToken } = await provider.signIn('nightly-agent', 'mcp:read');
    const { status, body } = await exchange(sekisho, idToken, {
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    });
    expect([status, body.reason]).toEqual([200, undefined]);
    expect(claimsOf(body.access_token)).toMatchObject({ sub: 'idp:nightly-agent', client_id: 'openid' });
  });

  test('whoever else signs in there gets nothing', async () => {
    const { idToken } = await provider.signIn('mallory', 'mcp:read');
    expect(outcome(await exchange(sekisho, idToken))).toEqual([403, 'rule_unmatched']);
  });

  test('its access tokens are for somebody else, and are no ID tokens (A6)', async () => {
    const { accessToken } = await provider.signIn('nightly-agent', 'mcp:read');
    // It says that it is a token for a gateway, and of another one: nobody looks at it any closer.
    expect(outcome(await exchange(sekisho, accessToken))).toEqual([403, 'rule_unmatched']);
  });
});
