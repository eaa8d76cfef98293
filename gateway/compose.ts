import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Resolve } from '#gateway/adapters/egress/egress.ts';
import { createAdminServer } from '#gateway/adapters/http/admin.ts';
import type { SignIn } from '#gateway/adapters/http/challenge.ts';
import { createHostCheck } from '#gateway/adapters/http/hosts.ts';
import { createLiveSessions } from '#gateway/adapters/http/live-sessions.ts';
import { serveOAuth } from '#gateway/adapters/http/oauth.ts';
import { metadataUrl, type ResourceFacts, serveResourceMetadata } from '#gateway/adapters/http/resource-metadata.ts';
import { createPublicServer } from '#gateway/adapters/http/server.ts';
import { createSeal } from '#gateway/adapters/http/sessions.ts';
import { createBox } from '#gateway/adapters/keys/box.ts';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { loadOrCreateSecretKey, loadSecretKeys } from '#gateway/adapters/keys/keys.ts';
import { patterns } from '#gateway/adapters/schemas/patterns.ts';
import { openStore, type Store } from '#gateway/adapters/sqlite/open.ts';
import { type Audit, createAudit } from '#gateway/adapters/telemetry/audit.ts';
import { createTokens } from '#gateway/adapters/tokens/verify.ts';
import type { Carrier } from '#gateway/adapters/upstream/wire.ts';
import { createContracts } from '#gateway/contracts.ts';
import type { Reserved } from '#gateway/core/call.ts';
import type { Config } from '#gateway/core/config.ts';
import { createInflight } from '#gateway/core/inflight.ts';
import { createNews } from '#gateway/core/news.ts';
import { createRates } from '#gateway/core/rates.ts';
import { createSeats, mostSubscribed } from '#gateway/core/seats.ts';
import { createShares } from '#gateway/core/shares.ts';
import { createGate } from '#gateway/gate.ts';
import { createLookout } from '#gateway/lookout.ts';
import type { Gate, Log } from '#gateway/ports.ts';
import { createQuarantineList, type QuarantineList } from '#gateway/quarantines.ts';
import { createReviewer } from '#gateway/review.ts';
import { createRevocations, type RevocationList } from '#gateway/revocations.ts';
import type { SignedPins } from '#gateway/signed-pins.ts';
import { createSnapshots, type Snapshots } from '#gateway/snapshots.ts';
import { openEgress } from './compose/egress.ts';
import { createHalting } from './compose/halting.ts';
import { loadIdentity, type Minting } from './compose/identity.ts';
import { openJudged } from './compose/judged.ts';
import { listen } from './compose/listen.ts';
import { openPeople, resourceFacts } from './compose/people.ts';
import type { PolicyKeeper } from './compose/policy.ts';
import { keepPolicies } from './compose/policy-layers.ts';
import { openProofs } from './compose/proofs.ts';
import { openRunTokens } from './compose/run-tokens.ts';
import { createServers } from './compose/servers.ts';
import type { Shadow } from './compose/shadow.ts';
import { openTelemetry } from './compose/telemetry.ts';
import { openTrust } from './compose/trust.ts';

/** A gateway that runs. */
export interface Gateway {
  /** Where MCP hosts point. */
  readonly url: string;
  readonly adminUrl: string;
  readonly config: Config;
  readonly snapshots: Snapshots;
  readonly policy: PolicyKeeper;
  /** Null where no candidate was named. */
  readonly shadow: Shadow | null;
  readonly store: Store;
  readonly pins: SignedPins;
  readonly quarantines: QuarantineList;
  readonly revocations: RevocationList;
  readonly audit: Audit;
  readonly gate: Gate;
  /** Makes run tokens; null unless this is development mode. */
  readonly minting: Minting | null;
  /** Resolves when every server was asked once, or did not answer in time. */
  readonly settled: Promise<void>;
  close(): Promise<void>;
}

export interface Outside {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** How names become addresses; the system's way when left out. */
  readonly resolve?: Resolve;
  /** Long work tells a person how far it is. */
  readonly progress: (line: string) => void;
  /** Who carries calls to `http:` servers; our own client when left out. */
  readonly carrier?: Carrier;
}

/** Milliseconds: for calls under way at the end, and for servers that are slow at the start. */
const grace = 10_000;
const patience = 15_000;

/** Config → running gateway: the only place that knows every adapter. What was opened is closed again when it fails. */
export async function compose(outside: Outside): Promise<Gateway> {
  const opened: (() => Promise<void> | void)[] = [];
  const keep = <T>(part: T, close: (part: T) => Promise<void> | void): T => {
    opened.push(() => close(part));
    return part;
  };
  const close = async (): Promise<void> => {
    for (const closing of opened.splice(0).reverse()) await closing();
  };
  try {
    return await assemble(outside, keep, close);
  } catch (fault) {
    await close();
    throw fault;
  }
}

type Keep = <T>(part: T, close: (part: T) => Promise<void> | void) => T;

async function assemble(outside: Outside, keep: Keep, close: () => Promise<void>): Promise<Gateway> {
  const { config, log, progress, env, carrier = 'own' } = outside;
  await mkdir(config.state, { recursive: true, mode: 0o700 });
  const policy = keep(await keepPolicies({ config, env, progress, log, now: Date.now }), (it) => it.close());
  const identity = await loadIdentity(config);
  const store = keep(openStore(config.store.path ?? join(config.state, 'state.db'), { onFault }), (it) => it.close());
  const hmacKey = await loadOrCreateSecretKey(join(config.state, 'keys', 'audit.key'));
  const audit = keep(
    createAudit({ path: await auditPath(config), onFailure: config.audit.on_failure, hmacKey, log }),
    (it) => it.close(),
  );
  const judged = keep(openJudged(outside), (it) => it.close());
  const news = createNews();
  const egress = openEgress(outside);
  const servers = keep(await createServers(config, egress, { log, carrier }), (it) => it.close());
  const revocations = keep(createRevocations({ runs: store.runs, now: Date.now, log }), (it) => it.close());
  const runTokens = keep(await openRunTokens(outside, { egress, store, revocations }), (it) => it?.close());
  const people = await openPeople(outside, egress);
  const tokens = createTokens({
    signers: identity.signers,
    audience: config.url,
    ...(runTokens ? { own: runTokens.own } : {}),
    ...(people ? { people } : {}),
  });
  const proofs = openProofs(config);
  const trust = await openTrust(config, store);
  const quarantines = keep(createQuarantineList({ store: store.quarantines, log }), (it) => it.close());
  const clock = (): number => performance.now();
  const contracts = createContracts({ patterns, sha256: hashing.sha256, clock, log });
  const snapshots = keep(
    createSnapshots({
      everApproved: store.everApproved,
      digestOf: contracts.digestOf,
      upstreams: servers.byId,
      asCaller: servers.asCaller,
      baseOf: servers.baseOf,
      config,
      policy: policy.first,
      digests: hashing,
      ...trust,
      quarantined: quarantines.of,
      contracts,
      reviewer: createReviewer(clock),
      now: Date.now,
      clock,
      log,
      judged: judged.told,
      changed: (server) => {
        for (const what of ['tools', 'prompts', 'resources'] as const) news.publish({ kind: 'changed', server, what });
      },
    }),
    (it) => it.close(),
  );
  quarantines.onChange(snapshots.again);
  policy.follow(snapshots.usePolicy);
  servers.listen((id, notice) => {
    if (notice.kind === 'updated') news.publish({ kind: 'updated', server: id, uri: notice.uri });
    else void snapshots.refresh(id);
  });
  const telemetry = await openTelemetry(outside, {
    snapshots,
    audit,
    policy: policy.state,
    shadow: () => judged.shadow?.state() ?? null,
    decisions: () => judged.decisions?.counts() ?? null,
    server: () => server,
  });
  keep(telemetry.traces, (it) => it.close());
  const sessions = createLiveSessions(config.limits.session_idle);
  const subscriptions = createShares<Reserved>((fault) => log.error({ fault }, 'a subscription could not be ended'));
  const gate = createGate({
    current: snapshots.current,
    ports: {
      tokens,
      proofs: proofs.calls,
      revocations,
      hashing,
      lookout: createLookout({
        ...{ current: snapshots.current, refresh: snapshots.refresh, looked: snapshots.looked, clock },
        mostAge: (id) => config.servers[id]?.manifest.check ?? 0,
      }),
      approvals: store.approvals,
      budgets: store.budgets,
      taints: store.taints,
      runBudget: config.budgets.run,
      inflight: createInflight(),
      rates: createRates(),
      halting: createHalting({ runs: store.runs, revocations, log, now: Date.now }),
      logsDecisions: judged.decisions !== null,
      upstreams: servers.upstreams,
      news,
      seats: createSeats(),
      subscriptions,
      subscribers: createSeats(mostSubscribed),
      sessions,
      box: createBox(...(await loadSecretKeys(join(config.state, 'keys', 'state.key')))),
    },
    watch: telemetry.watch,
    begin: telemetry.traces.begin,
    recorders: [telemetry.watch, telemetry.metrics.recorder, telemetry.traces, audit.recorder],
    recordable: audit.ready,
    log,
    clock,
  });
  const checkHost = createHostCheck(config);
  const resource = resourceFacts(config);
  const server = createPublicServer({
    gate,
    checkHost,
    signIn: signInOf(resource),
    revocations,
    news,
    seal: createSeal(
      createBox(...(await loadSecretKeys(join(config.state, 'keys', 'session.key')))),
      config.limits.sessions,
    ),
    sessions,
    limits: config.limits,
    door: config.listen.door,
    now: Date.now,
    log,
  });
  if (resource) serveResourceMetadata(server.app, resource, checkHost);
  if (runTokens)
    serveOAuth(server.app, {
      ...{ ...runTokens.serve(tokens, proofs.exchanges), gate, checkHost, clock, log },
      ...{ recordable: audit.ready, now: Date.now },
    });
  const settled = snapshots.start(patience);
  const ready = { yet: false };
  void settled.then(() => {
    ready.yet = true;
  });
  const admin = createAdminServer({
    host: config.admin.host,
    unready: () =>
      ready.yet ? (audit.ready() ? null : 'the audit file cannot be written') : 'servers are being asked',
    detail: () => ({
      revision: snapshots.current().revision,
      policy: snapshots.current().policy.revision,
      policy_broken: policy.state().broken,
    }),
    metrics: async () => ({ contentType: telemetry.metrics.contentType, text: await telemetry.metrics.render() }),
  });
  keep(admin, (it) => it.close());
  keep(server, (it) => it.close(grace));
  const { url, adminUrl } = await listen(config, server, admin);
  return {
    url,
    adminUrl,
    config,
    snapshots,
    policy,
    shadow: judged.shadow,
    store,
    pins: trust.pins,
    quarantines,
    revocations,
    audit,
    gate,
    minting: identity.minting,
    settled,
    close,
  };

  function onFault(fault: unknown): void {
    log.error({ fault }, 'the store could not be swept');
  }
}

/** What a caller without a good token is told, where people can sign in. */
function signInOf(facts: ResourceFacts | null): SignIn | null {
  return facts && { metadata: metadataUrl(facts), scope: facts.scopes.join(' ') };
}

async function auditPath(config: Config): Promise<string> {
  const folder = config.audit.path ?? join(config.state, 'audit');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return join(folder, 'audit.jsonl');
}
