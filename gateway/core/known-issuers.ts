/** What is known of issuers that many tenants share, so that a rule cannot let all of them in by leaving something out. */
export interface KnownIssuer {
  /** A rule must match at least one of these: they name a tenant for good. */
  readonly tenant: readonly string[];
  /** A rule must not match these: they are names, which are given to somebody else after a rename. */
  readonly names: readonly string[];
  /** Denied whatever the rule says: tokens that code from outside the repository can get. */
  readonly deny: Readonly<Record<string, readonly string[]>>;
}

const nothing: KnownIssuer = { tenant: [], names: [], deny: {} };

const github: KnownIssuer = {
  tenant: ['repository_id', 'repository_owner_id', 'enterprise_id'],
  names: ['sub', 'repository', 'repository_owner'],
  deny: { event_name: ['pull_request_target', 'workflow_run'] },
};

const gitlab: KnownIssuer = {
  tenant: ['project_id', 'namespace_id', 'root_namespace_id'],
  names: ['sub', 'project_path', 'namespace_path'],
  deny: {},
};

const google: KnownIssuer = { tenant: ['sub'], names: ['email'], deny: {} };

export function knownIssuer(issuer: string): KnownIssuer {
  if (/^https:\/\/token\.actions\.githubusercontent\.com(\/|$)/.test(issuer)) return github;
  if (issuer === 'https://gitlab.com') return gitlab;
  return issuer === 'https://accounts.google.com' ? google : nothing;
}

/** What is wrong with the claims that a rule for this issuer looks at, or null. */
export function ruleTrouble(issuer: string, match: Readonly<Record<string, string>>): string | null {
  const { tenant, names } = knownIssuer(issuer);
  const renamed = names.find((name) => Object.hasOwn(match, name));
  if (renamed !== undefined) return `"${renamed}" is a name that somebody else can get: match ${tenant.join(' or ')}`;
  if (tenant.length === 0 || tenant.some((name) => Object.hasOwn(match, name))) return null;
  return `this issuer serves everybody: match at least one of ${tenant.join(', ')}`;
}
