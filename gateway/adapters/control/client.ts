import { Client, type Dispatcher } from 'undici';
import { z } from 'zod';
import {
  approval,
  type ControlApi,
  type ControlRefusal,
  controlRefusal,
  decided,
  gatewayStatus,
  isControlRefusal,
  minted,
  policyReloaded,
  revoked,
  serverDiff,
  serverStatus,
  serverTool,
  shadowReport,
  signable,
} from './api.ts';

/** The control API of the gateway that listens at a socket. Every "no" is a value, also that nobody is there. */
export interface ControlClient extends Promised<ControlApi> {
  close(): Promise<void>;
}

/** The same members, each answering with a promise. */
type Promised<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : Promised<T[K]>;
};

/** Milliseconds. Asking a server again can take as long as it may take to answer. */
const defaultPatience = 90_000;

export function controlClient(path: string, { patience = defaultPatience } = {}): ControlClient {
  const client = new Client('http://localhost', {
    socketPath: path,
    connect: { timeout: 3_000 },
    headersTimeout: patience,
    bodyTimeout: patience,
  });

  async function ask<T>(schema: z.ZodType<T>, method: 'GET' | 'POST', route: string, body?: object) {
    let answer: Dispatcher.ResponseData;
    let value: unknown;
    try {
      const sent = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {};
      answer = await client.request({ method, path: `/v1${route}`, ...sent });
      value = await answer.body.json();
    } catch (error) {
      return unanswered(error, path);
    }
    if (answer.statusCode >= 400) {
      return isControlRefusal(value) ? value : controlRefusal('fault', `The gateway answered ${answer.statusCode}.`);
    }
    const read = schema.safeParse(value);
    return read.success ? read.data : controlRefusal('fault', 'The gateway answered in a form that is not known here.');
  }

  const one = (id: string): string => encodeURIComponent(id);
  return {
    status: () => ask(gatewayStatus, 'GET', '/status'),
    mint: (request) => ask(minted, 'POST', '/tokens', request),
    decide: (order) => ask(decided, 'POST', '/decisions', order),
    approvals: {
      list: (state) => ask(z.array(approval), 'GET', state ? `/approvals?state=${state}` : '/approvals'),
      show: (id) => ask(approval, 'GET', `/approvals/${one(id)}`),
      decide: (id, verdict) => ask(approval, 'POST', `/approvals/${one(id)}/decision`, verdict),
    },
    policy: {
      reload: () => ask(policyReloaded, 'POST', '/policy/reload'),
      shadow: () => ask(shadowReport, 'GET', '/policy/shadow'),
    },
    runs: {
      revoke: (order) => ask(revoked, 'POST', '/revocations', order),
      revoked: () => ask(z.array(revoked), 'GET', '/revocations'),
    },
    servers: {
      list: () => ask(z.array(serverStatus), 'GET', '/servers'),
      tools: (id) => ask(z.array(serverTool), 'GET', `/servers/${one(id)}/tools`),
      diff: (id) => ask(serverDiff, 'GET', `/servers/${one(id)}/diff`),
      definitions: (id) => ask(signable, 'GET', `/servers/${one(id)}/definitions`),
      pin: (id, order) => ask(serverStatus, 'POST', `/servers/${one(id)}/pin`, order),
      quarantine: (id, order) => ask(serverStatus, 'POST', `/servers/${one(id)}/quarantine`, order),
      release: (id, order) => ask(serverStatus, 'POST', `/servers/${one(id)}/release`, order),
      refresh: (id) => ask(serverStatus, 'POST', `/servers/${one(id)}/refresh`),
    },
    close: () => client.destroy(),
  };
}

function unanswered(error: unknown, path: string): ControlRefusal {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') {
    return controlRefusal('not_permitted', `The socket ${path} belongs to another user: run this as that user.`);
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK') {
    return controlRefusal('not_running', `No gateway answers at ${path}. Is the gateway running? sekisho up`);
  }
  const why = error instanceof Error ? error.message : 'unknown';
  return controlRefusal('not_running', `The gateway at ${path} did not answer (${why}). Is it stuck? sekisho up`);
}
