import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  type ControlApi,
  type ControlRefusal,
  controlRefusal,
  type Decided,
  type DecideOrder,
  type GatewayStatus,
  type ServerStatus,
  type ServerTool,
  type ShadowReport,
} from '#gateway/adapters/control/api.ts';
import type { Gateway } from '#gateway/compose.ts';
import { createCall } from '#gateway/core/call.ts';
import type { Config } from '#gateway/core/config.ts';
import { legacyRevisions } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import type { Finding } from '#gateway/core/poison/finding.ts';
import { product } from '#gateway/core/product.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import type { ServerState } from '#gateway/look.ts';
import type { Live } from '#gateway/ports.ts';
import type { MintOrder } from './identity.ts';
import { outOfUse, quarantineOf } from './quarantine-control.ts';
import { runsOf } from './runs-control.ts';
import { diffOf, pin } from './server-review.ts';

export const socketOf = (config: Config): string => join(config.state, 'control.sock');

/** What the operator of this machine may do with a running gateway: whoever may open the socket is that operator. */
export function controlApi(gateway: Gateway): ControlApi {
  return {
    status: () => statusOf(gateway),
    mint: (order) => {
      if (gateway.minting) return gateway.minting(order as MintOrder);
      return controlRefusal('not_permitted', 'Only a gateway in development mode signs tokens: use --key offline.');
    },
    decide: (order) => decide(gateway, order),
    approvals: approvalsOf(gateway),
    policy: {
      shadow: () => {
        const none = controlRefusal('unknown', 'This gateway has no candidate: name its folder under policy.shadow.');
        const { shadow: folder } = gateway.config.policy;
        if (!gateway.shadow || folder === undefined) return none;
        return { folder, ...gateway.shadow.state() } as ShadowReport;
      },
      reload: async () => {
        const { revision, broken } = await gateway.policy.reload();
        const { path: folder } = gateway.config.policy;
        return { folder, revision, broken: broken === null ? null : { ...broken, errors: [...broken.errors] } };
      },
    },
    runs: runsOf(gateway),
    servers: {
      list: () => gateway.snapshots.states().map((state) => serverStatus(gateway, state)),
      tools: (id) => withServer(gateway, id, () => toolsOf(gateway, id)),
      diff: (id) => withLive(gateway, id, (live) => diffOf(gateway, id, live)),
      definitions: (id) =>
        withLive(gateway, id, ({ definitions }) => ({
          url: gateway.config.servers[id]?.url ?? null,
          definitions,
        })),
      pin: (id, order) =>
        withLive(gateway, id, async (live) => (await pin(gateway, id, live, order)) ?? refreshed(gateway, id)),
      ...quarantineOf(gateway, (id) => statusNow(gateway, id)),
      refresh: (id) => refreshed(gateway, id),
    },
  };
}

/** The list of a tool call without `forward`, as whoever holds the token would see it. */
async function decide(gateway: Gateway, order: DecideOrder): Promise<Decided | ControlRefusal> {
  const token = order.token ?? (await gateway.minting?.({ groups: order.groups ?? [] }))?.token;
  if (token === undefined)
    return controlRefusal('invalid', 'Only in development mode is a token made: name one with --token.');
  const snapshot = gateway.snapshots.current();
  const call = createCall({
    call: randomUUID(),
    at: Date.now(),
    id: null,
    method: 'tools/call',
    params: { name: order.tool, arguments: order.arguments as JsonObject },
    client: { revision: legacyRevisions[0], capabilities: {}, info: product, logLevel: null },
    view: snapshot.all,
    snapshot,
    token,
    session: null,
    proof: null,
    paramHeaders: null,
    bytesIn: Buffer.byteLength(JSON.stringify(order.arguments)),
    trace: null,
    signal: createLeaving(),
    dryRun: true,
  });
  const step = await gateway.gate.decide(call);
  const policy = snapshot.policy.revision;
  if (!isRefusal(step)) return { verdict: 'allow', reason: null, detail: '', codes: [...step.permit.codes], policy };
  const codes = Array.isArray(step.data.codes) ? step.data.codes.map(String) : [];
  const verdict = step.refused === 'approval_pending' ? 'ask' : 'deny';
  return { verdict, reason: step.refused, detail: step.detail, codes, policy };
}

function statusOf(gateway: Gateway): GatewayStatus {
  const snapshot = gateway.snapshots.current();
  return {
    url: gateway.url,
    revision: snapshot.revision,
    policy: { revision: snapshot.policy.revision },
    servers: gateway.snapshots.states().map((state) => serverStatus(gateway, state)),
  };
}

function serverStatus(
  { config, snapshots, quarantines }: Gateway,
  { id, up, note, catalogue }: ServerState,
): ServerStatus {
  const server = config.servers[id];
  const view = snapshots.current().byServer.get(id);
  return {
    id,
    tier: server?.tier ?? '',
    transport: server?.command ? 'stdio' : 'http',
    up,
    tools: [...(view?.tools.values() ?? [])].filter((tool) => tool.closed === null).length,
    trust: catalogue?.trust.status ?? 'none',
    note: [outOfUse(quarantines.of(id)), note, warning(snapshots.findings(id))].filter(Boolean).join('; '),
  };
}

const warning = (findings: readonly Finding[] | null): string =>
  findings === null || findings.length === 0 ? '' : `${findings.length} signs of poisoning`;

function approvalsOf({ store }: Gateway): ControlApi['approvals'] {
  const { approvals } = store;
  const missing = (id: string): ControlRefusal => controlRefusal('unknown', `There is no approval "${id}".`);
  return {
    list: (state) => approvals.list(state, Date.now()),
    show: (id) => approvals.find(id, Date.now()) ?? missing(id),
    decide(id, verdict) {
      const became = approvals.decide(id, verdict, Date.now());
      const approval = approvals.find(id, Date.now());
      if (became === 'unknown' || !approval) return missing(id);
      if (became === 'decided') return approval;
      if (became === 'requester') return controlRefusal('not_permitted', 'Somebody else than who asked must decide.');
      return controlRefusal('conflict', `Approval "${id}" is ${became} already.`);
    },
  };
}

function withServer<T>(gateway: Gateway, id: string, answer: () => T): T | ControlRefusal {
  if (Object.hasOwn(gateway.config.servers, id)) return answer();
  const known = Object.keys(gateway.config.servers).join(', ');
  return controlRefusal('unknown', `There is no server "${id}": the config has ${known || 'none'}.`);
}

/** Asks the server first: a reviewer decides on what it serves now, not on what it served a minute ago. */
async function withLive<T>(
  gateway: Gateway,
  id: string,
  answer: (live: Live) => T | Promise<T>,
): Promise<T | ControlRefusal> {
  const known = withServer(gateway, id, () => null);
  if (known) return known;
  await gateway.snapshots.refresh(id);
  const state = gateway.snapshots.states().find((one) => one.id === id);
  const live = gateway.snapshots.live(id);
  if (!state?.up || !live) return controlRefusal('unreachable', `Server "${id}" cannot be asked: ${state?.note ?? ''}`);
  return answer(live);
}

async function refreshed(gateway: Gateway, id: string): Promise<ServerStatus | ControlRefusal> {
  await gateway.snapshots.refresh(id);
  return statusNow(gateway, id);
}

function statusNow(gateway: Gateway, id: string): ServerStatus | ControlRefusal {
  const state = gateway.snapshots.states().find((one) => one.id === id);
  return withServer(gateway, id, () => serverStatus(gateway, state ?? { id, up: false, note: '', catalogue: null }));
}

function toolsOf({ snapshots }: Gateway, id: string): readonly ServerTool[] {
  const all = [...snapshots.current().all.tools.values()].filter((tool) => tool.server.id === id);
  return all.map(({ name, exposed, action, risk, digest, closed }) => ({
    name,
    exposed,
    action,
    risk,
    digest,
    closed: closed === null ? null : closed.detail,
  }));
}
