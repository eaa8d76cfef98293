import type { FastifyInstance } from 'fastify';
import { proofAlgorithms } from '#gateway/core/dpop.ts';
import type { HostCheck } from './hosts.ts';

/** What a host has to know to sign its person in (RFC 9728). */
export interface ResourceFacts {
  /** What access tokens are for: the MCP URL. */
  readonly resource: string;
  /** Where people sign in; the first is the one that most hosts take. */
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[];
  /** Whether every access token must be bound to a key (RFC 9449). */
  readonly bound: boolean;
}

const wellKnown = '/.well-known/oauth-protected-resource';

export const metadataUrl = ({ resource }: Pick<ResourceFacts, 'resource'>): string =>
  `${new URL(resource).origin}${wellKnown}/mcp`;

/**
 * Served only where people sign in: a host that finds it drops the bearer header that its person configured, and starts
 * to sign in.
 */
export function serveResourceMetadata(app: FastifyInstance, facts: ResourceFacts, checkHost: HostCheck): void {
  const { resource, authorizationServers, scopes, bound } = facts;
  const dpop = { dpop_bound_access_tokens_required: true, dpop_signing_alg_values_supported: proofAlgorithms };
  const document = {
    resource,
    authorization_servers: authorizationServers,
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
    ...(bound ? dpop : {}),
    resource_name: 'Sekisho',
  };
  for (const path of ['', '/mcp', '/mcp/server/:id']) {
    app.get(`${wellKnown}${path}`, async (request, reply) => {
      const wrong = checkHost(request.raw);
      return wrong ? reply.code(403).send({ error: wrong }) : document;
    });
  }
}
