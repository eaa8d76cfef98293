import { join, relative } from 'node:path';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import type { Config } from '#gateway/core/config.ts';
import { layered } from '#gateway/core/layers.ts';
import type { PolicyState } from '#gateway/core/policy-state.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { StartRefused } from '#gateway/start-refused.ts';
import { type Around, keepPolicy, type PolicyKeeper } from './policy.ts';

type Places = Omit<Around, 'directory' | 'kept' | 'state'> & { readonly config: Config };

/** Keeps the policy in force and its layers, each from a folder of its own and each with its own last good one. */
export async function keepPolicies({ config, ...around }: Places): Promise<PolicyKeeper> {
  const { path: directory, layers } = config.policy;
  const { state } = config;
  checkServers(config);
  const base = await keepPolicy({ ...around, directory, state, kept: 'policy-last-good.json' });
  const kept: Record<string, PolicyKeeper> = {};
  const close = (): void => {
    for (const keeper of [base, ...Object.values(kept)]) keeper.close();
  };
  try {
    for (const [id, { path }] of Object.entries(layers))
      kept[id] = await keepPolicy({ ...around, directory: path, state, kept: `policy-last-good-${id}.json` });
  } catch (fault) {
    close();
    throw fault;
  }
  const all = (): readonly PolicyKeeper[] => [base, ...Object.values(kept)];
  const inForce = (): Policy => {
    const parts = Object.entries(kept).map(([id, keeper]) => {
      const { groups = [], servers = [] } = layers[id] ?? {};
      return [id, { policy: keeper.inForce(), groups, servers }];
    });
    return layered(base.inForce(), Object.fromEntries(parts), hashing.sha256);
  };
  const first = inForce();
  const stateOf = (): PolicyState => {
    const placed = Object.entries(kept).map(([id, it]) => ({ folder: layers[id]?.path ?? '', state: it.state() }));
    return {
      ...together([{ folder: directory, state: base.state() }, ...placed], directory),
      revision: inForce().revision,
    };
  };
  return {
    first,
    inForce,
    state: stateOf,
    reload: async () => {
      await Promise.all(all().map((keeper) => keeper.reload()));
      return stateOf();
    },
    follow(swap) {
      for (const keeper of all()) keeper.follow(() => swap(inForce()));
    },
    close,
  };
}

/** A layer for a server that there is not would never be asked: a misspelt name is a rule that is gone. */
function checkServers({ policy: { layers }, servers }: Config): void {
  for (const [id, { servers: named }] of Object.entries(layers)) {
    const missing = named.find((name) => !Object.hasOwn(servers, name));
    if (missing !== undefined)
      throw new StartRefused(`policy.layers.${id} is about the server "${missing}", and there is none of that name.`);
  }
}

interface Placed {
  readonly folder: string;
  readonly state: PolicyState;
}

/** What is broken in any of the folders, its files seen from the first one. */
function together(states: readonly Placed[], directory: string): Omit<PolicyState, 'revision'> {
  const reloads = { swapped: 0, unchanged: 0, broken: 0 };
  for (const what of ['swapped', 'unchanged', 'broken'] as const)
    for (const { state } of states) reloads[what] += state.reloads[what];
  const flaws = states.flatMap(({ folder, state: { broken } }) => {
    const from = relative(directory, folder);
    return (broken?.errors ?? []).map((error) => ({
      ...error,
      file: from === '' ? error.file : join(from, error.file),
    }));
  });
  const since = states.flatMap(({ state: { broken } }) => (broken ? [broken.since] : []));
  return { broken: since.length === 0 ? null : { since: Math.min(...since), errors: flaws }, reloads };
}
