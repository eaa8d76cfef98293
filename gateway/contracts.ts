import type { JsonObject } from '#gateway/core/json.ts';
import {
  type DefinitionKind,
  type Definitions,
  definitionDigest,
  definitionKinds,
  definitionsOf,
  type Sha256,
} from '#gateway/core/manifest.ts';
import type { Patterns } from '#gateway/core/schema/compile.ts';
import { type Contract, contractOf, noContract } from '#gateway/core/schema/contract.ts';
import type { Log } from '#gateway/ports.ts';
import { createPace } from './pace.ts';

/** What is made of an approved definition once, for as long as that very object is held: its digest and its contract. */
export interface Contracts {
  /** Makes those of a whole set, a few milliseconds at a time. */
  prepare(definitions: Definitions): Promise<void>;
  /** Of one tool: at once when it was prepared. */
  of(tool: JsonObject): Contract;
  digestOf(kind: DefinitionKind, definition: JsonObject): string;
}

export interface ContractsParts {
  readonly patterns: Patterns;
  readonly sha256: Sha256;
  readonly clock: () => number;
  readonly log: Log;
}

export function createContracts({ patterns, sha256, clock, log }: ContractsParts): Contracts {
  const contracts = new WeakMap<JsonObject, Contract>();
  const digests = new WeakMap<JsonObject, string>();
  const pause = createPace(clock);
  const of = (tool: JsonObject): Contract => keptIn(contracts, tool, () => made(tool));
  const digestOf = (kind: DefinitionKind, definition: JsonObject): string =>
    keptIn(digests, definition, () => definitionDigest(kind, definition, sha256));

  /** A schema that breaks its maker closes its own tool. Thrown on, it would keep every server from being looked at again. */
  function made(tool: JsonObject): Contract {
    try {
      return contractOf(tool, patterns);
    } catch (fault) {
      log.error({ fault, tool: String(tool.name) }, 'a schema could not be made ready: its tool is closed');
      return { ...noContract, flaw: 'it could not be made ready' };
    }
  }

  return {
    of,
    digestOf,
    async prepare(definitions) {
      for (const kind of definitionKinds) {
        for (const definition of definitionsOf(definitions, kind)) {
          await pause();
          digestOf(kind, definition);
          if (kind === 'tool') of(definition);
        }
      }
    },
  };
}

function keptIn<Made>(kept: WeakMap<JsonObject, Made>, key: JsonObject, make: () => Made): Made {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const made = make();
  kept.set(key, made);
  return made;
}
