import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  type Answered,
  approvalQuery,
  type ControlApi,
  type ControlRefusal,
  controlRefusal,
  decideOrder,
  isControlRefusal,
  mintRequest,
  pinOrder,
  quarantineOrder,
  releaseOrder,
  revokeOrder,
  verdict,
} from './api.ts';
import { prepareSocket } from './socket-file.ts';

export interface ControlLog {
  error(details: object, message: string): void;
}

export interface ControlServer {
  readonly path: string;
  close(): Promise<void>;
}

const statuses = {
  invalid: 400,
  not_permitted: 403,
  unknown: 404,
  conflict: 409,
  fault: 500,
  unreachable: 502,
  not_running: 503,
} as const satisfies Record<ControlRefusal['refused'], number>;

/** Serves the control API on a unix socket that only the gateway's own user may open: that is all of its sign-in. */
export async function createControlServer(options: {
  readonly path: string;
  readonly api: ControlApi;
  readonly log: ControlLog;
}): Promise<ControlServer> {
  const { path, api, log } = options;
  const place = await prepareSocket(path);
  const app = fastify({ logger: false, bodyLimit: 256 * 1024, forceCloseConnections: true });
  app.setErrorHandler((error, request, reply) => {
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
    // The text of a fault may hold what the caller sent; the route does not.
    if (status >= 500) log.error({ err: error, route: request.routeOptions.url }, 'The control socket failed.');
    const detail = error instanceof Error && status < 500 ? error.message : 'The cause is in the log of the gateway.';
    reply.send(refuse(reply, controlRefusal(status < 500 ? 'invalid' : 'fault', detail)));
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `This gateway has no ${request.method} ${request.url}: is it older than this command?`;
    reply.send(refuse(reply, controlRefusal('unknown', detail)));
  });
  routes(app, api);
  try {
    await app.listen({ path: place.bindAt });
    await place.publish();
  } catch (error) {
    await app.close();
    await place.remove().catch(() => undefined);
    throw error;
  }
  return {
    path,
    async close() {
      // The name goes first: once we answer no more, it may be the next gateway's.
      await place.remove();
      await app.close();
    },
  };
}

function routes(app: FastifyInstance, api: ControlApi): void {
  const { approvals, runs, servers } = api;
  app.get('/v1/status', (_, reply) => answer(reply, api.status()));
  app.post('/v1/tokens', (request, reply) => parsed(reply, mintRequest, request.body, (order) => api.mint(order)));
  app.post('/v1/decisions', (request, reply) => parsed(reply, decideOrder, request.body, (order) => api.decide(order)));
  app.get('/v1/approvals', (request, reply) =>
    parsed(reply, approvalQuery, request.query, ({ state }) => approvals.list(state ?? null)),
  );
  app.get<Named>('/v1/approvals/:id', ({ params }, reply) => answer(reply, approvals.show(params.id)));
  app.post<Named>('/v1/approvals/:id/decision', ({ params, body }, reply) =>
    parsed(reply, verdict, body, (order) => approvals.decide(params.id, order)),
  );
  app.get('/v1/policy/shadow', (_, reply) => answer(reply, api.policy.shadow()));
  app.post('/v1/policy/reload', (_, reply) => answer(reply, api.policy.reload()));
  app.get('/v1/revocations', (_, reply) => answer(reply, runs.revoked()));
  app.post('/v1/revocations', (request, reply) =>
    parsed(reply, revokeOrder, request.body, (order) => runs.revoke(order)),
  );
  app.get('/v1/servers', (_, reply) => answer(reply, servers.list()));
  app.get<Named>('/v1/servers/:id/tools', ({ params }, reply) => answer(reply, servers.tools(params.id)));
  app.get<Named>('/v1/servers/:id/diff', ({ params }, reply) => answer(reply, servers.diff(params.id)));
  app.get<Named>('/v1/servers/:id/definitions', ({ params }, reply) => answer(reply, servers.definitions(params.id)));
  app.post<Named>('/v1/servers/:id/pin', ({ params, body }, reply) =>
    parsed(reply, pinOrder, body, (order) => servers.pin(params.id, order)),
  );
  app.post<Named>('/v1/servers/:id/quarantine', ({ params, body }, reply) =>
    parsed(reply, quarantineOrder, body, (order) => servers.quarantine(params.id, order)),
  );
  app.post<Named>('/v1/servers/:id/release', ({ params, body }, reply) =>
    parsed(reply, releaseOrder, body, (order) => servers.release(params.id, order)),
  );
  app.post<Named>('/v1/servers/:id/refresh', ({ params }, reply) => answer(reply, servers.refresh(params.id)));
}

interface Named {
  readonly Params: { readonly id: string };
}

function parsed<T>(
  reply: FastifyReply,
  schema: z.ZodType<T>,
  input: unknown,
  run: (order: T) => Answered<unknown>,
): unknown {
  const order = schema.safeParse(input ?? {});
  if (order.success) return answer(reply, run(order.data));
  return refuse(reply, controlRefusal('invalid', z.prettifyError(order.error)));
}

async function answer(reply: FastifyReply, answered: Answered<unknown>): Promise<unknown> {
  const value = await answered;
  return isControlRefusal(value) ? refuse(reply, value) : value;
}

function refuse(reply: FastifyReply, refusal: ControlRefusal): ControlRefusal {
  reply.code(statuses[refusal.refused]);
  return refusal;
}
