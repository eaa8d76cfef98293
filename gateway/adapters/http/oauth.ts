import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type CallRecord, learn } from '#gateway/core/call.ts';
import { type Presented, proofAlgorithms } from '#gateway/core/dpop.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import {
  type Exchanged,
  grantTypes,
  issuedType,
  oauthErrors,
  oauthStatus,
  parseExchange,
} from '#gateway/core/exchange-request.ts';
import type { Jwks } from '#gateway/core/jwk.ts';
import { isRefusal, type Refusal, refusals, refuse } from '#gateway/core/refusals.ts';
import type { TokenService } from '#gateway/ports/identity.ts';
import type { Gate, Log } from '#gateway/ports.ts';
import { beginCall } from './arrival.ts';
import type { HostCheck } from './hosts.ts';

export interface OAuthParts {
  /** The public URL of the gateway, without a path: the issuer of its run tokens. */
  readonly issuer: string;
  readonly service: TokenService;
  readonly keys: () => Jwks;
  readonly gate: Gate;
  readonly checkHost: HostCheck;
  /** False while nothing can be recorded: then nothing is given out. */
  readonly recordable: () => boolean;
  readonly now: () => number;
  /** The gate's clock, in milliseconds. */
  readonly clock: () => number;
  readonly log: Log;
}

const mostBytes = 32 * 1024;
const formType = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=utf-8)?$/i;
/** Seconds; far less than the turn of a key, which is published one turn before it signs. */
const keysAge = 300;

/** The token endpoint, and what a client has to know of it. Served only where there is something to exchange. */
export function serveOAuth(app: FastifyInstance, parts: OAuthParts): void {
  const { issuer, keys, checkHost } = parts;
  app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBytes }, (_, body, done) => done(null, body));
    scope.addHook('onRequest', async (request, reply) => {
      const wrong = checkHost(request.raw);
      if (wrong) return refused(parts, request, reply, refuse('origin_forbidden', wrong));
    });
    scope.setErrorHandler((fault, request, reply) => {
      const status = 'statusCode' in (fault as object) ? Number((fault as { statusCode: unknown }).statusCode) : 500;
      if (status < 500) return refused(parts, request, reply, refuse('grant_malformed', 'The body cannot be read.'));
      parts.log.error({ fault, method: methodOf(request) }, 'a fault at the doors of the token service');
      return refused(parts, request, reply, refuse('fault'));
    });
    scope.get('/.well-known/oauth-authorization-server', () => metadata(issuer));
    scope.get('/.well-known/jwks.json', (_, reply) =>
      reply.header('cache-control', `public, max-age=${keysAge}`).send({
        keys: keys().keys.map((key) => ({ ...key, use: 'sig', alg: 'Ed25519' })),
      }),
    );
    scope.post('/oauth/token', (request, reply) => exchange(parts, request, reply));
    scope.post('/oauth/revoke', (request, reply) => revoke(parts, request, reply));
    done();
  });
}

/** RFC 8414. Nobody signs in here: the token of a platform is the credential, and its trust rule is the client. */
const metadata = (issuer: string): object => ({
  issuer,
  token_endpoint: `${issuer}/oauth/token`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  grant_types_supported: grantTypes,
  response_types_supported: [],
  token_endpoint_auth_methods_supported: ['none'],
  dpop_signing_alg_values_supported: proofAlgorithms,
  revocation_endpoint_auth_methods_supported: ['none'],
});

async function exchange(parts: OAuthParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (!parts.recordable()) {
    return refused(parts, request, reply, refuse('overloaded', 'The audit log cannot be written.'));
  }
  const form = formOf(request);
  if (isRefusal(form)) return refused(parts, request, reply, form);
  const asked = parseExchange(form, [parts.issuer, `${parts.issuer}/mcp`]);
  if (isRefusal(asked)) return refused(parts, request, reply, asked);
  const given = await parts.service.exchange({ ...asked, proof: proofOf(request) }, parts.now());
  return isRefusal(given) ? refused(parts, request, reply, given) : granted(parts, request, reply, given);
}

/**
 * RFC 7009 §2.2: whether there was something to revoke is nobody's business. But whom nobody could look at is told to come
 * again (§2.2.1): a 200 would say that the token is over.
 */
async function revoke(parts: OAuthParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = formOf(request);
  if (isRefusal(form)) return refused(parts, request, reply, form);
  const tokens = new URLSearchParams(form).getAll('token');
  const [token = ''] = tokens;
  if (tokens.length !== 1 || token === '') {
    return refused(parts, request, reply, refuse('grant_malformed', '"token" must stand in it once.'));
  }
  const unjudged = await parts.service.revoke(token, parts.now());
  if (unjudged) return refused(parts, request, reply, unjudged);
  record(parts, begin(parts, request, reply), null, 0);
  return reply.header('cache-control', 'no-store').code(200).send();
}

/** RFC 9449 §5: shows the key that the token is to be bound to. Two headers are joined by Node into one that is no JWT. */
const proofOf = ({ headers: { dpop } }: FastifyRequest): Presented | null =>
  dpop === undefined ? null : { proof: String(dpop), method: 'POST', path: '/oauth/token' };

/** The type is checked here and not by the router: a parser that is skipped must not skip the check with it. */
function formOf(request: FastifyRequest): string | Refusal {
  const type = request.headers['content-type'] ?? '';
  const encoded = request.headers['content-encoding'] !== undefined;
  if (!formType.test(type) || encoded || !Buffer.isBuffer(request.body)) {
    return refuse('grant_malformed', 'Send application/x-www-form-urlencoded, without content encoding.');
  }
  // What is no ASCII is percent-encoded in a form: anything else two decoders could read apart.
  const text = request.body.toString('latin1');
  return /^[\x20-\x7e]*$/.test(text) ? text : refuse('grant_malformed', 'The body is not ASCII.');
}

function granted(parts: OAuthParts, request: FastifyRequest, reply: FastifyReply, given: Exchanged): FastifyReply {
  const { token, identity } = given;
  const call = learn(begin(parts, request, reply), { identity });
  const body = JSON.stringify({
    access_token: token,
    issued_token_type: issuedType,
    token_type: identity.token.boundTo === null ? 'Bearer' : 'DPoP',
    expires_in: Math.max(0, Math.floor((identity.expires - parts.now()) / 1000)),
    scope: identity.principal.scopes.join(' '),
  });
  record(parts, call, null, body.length);
  return send(reply, 200, body);
}

function refused(parts: OAuthParts, request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { says } = refusals[refusal.refused];
  const http = oauthStatus(refusal.refused);
  const body = JSON.stringify({
    error: oauthErrors[refusal.refused] ?? 'server_error',
    error_description: refusal.detail === '' ? says : `${says} ${refusal.detail}`,
    reason: refusal.refused,
  });
  record(parts, begin(parts, request, reply), refusal, body.length);
  const { nonce } = refusal.data;
  if (typeof nonce === 'string') reply.header('dpop-nonce', nonce);
  if (http === 503) reply.header('retry-after', '5');
  return send(reply, http, body);
}

const send = (reply: FastifyReply, status: number, body: string): FastifyReply =>
  reply
    .code(status)
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .header('pragma', 'no-cache')
    .send(body);

/** What happens here is recorded as every call is, under the name of its door. */
function begin({ gate, now, clock }: OAuthParts, request: FastifyRequest, { elapsedTime }: FastifyReply): CallRecord {
  const bytesIn = Buffer.isBuffer(request.body) ? request.body.length : 0;
  const arrival = {
    at: Math.round(now() - elapsedTime),
    snapshot: gate.snapshot(),
    view: null,
    token: null,
    proof: null,
  };
  return Object.assign(beginCall(arrival, { method: methodOf(request), bytesIn }), { began: clock() - elapsedTime });
}

const methodOf = (request: FastifyRequest): string => (request.routeOptions.url ?? '').slice(1);

function record({ gate }: OAuthParts, call: CallRecord, refusal: Refusal | null, bytes: number): void {
  const errorCode = refusal ? refusals[refusal.refused].code : null;
  gate.record(call, refusal ? { kind: 'refusal', refusal } : resultOf({}), { bytes, errorCode, left: false });
}
