import type { JsonObject } from '#gateway/core/json.ts';
import { type Definitions, definitionDigest, type Sha256 } from '#gateway/core/manifest.ts';
import type { Patterns } from '#gateway/core/schema/compile.ts';
import { type Contract, contractOf } from '#gateway/core/schema/contract.ts';
import { createPace } from './pace.ts';

/** The schemas of approved tools, made ready once for as long as they are approved. */
export interface Contracts {
  /** Makes those of all tools, a few milliseconds at a time. */
  prepare(definitions: Definitions): Promise<void>;
  /** That of one tool: at once when it was prepared. */
  of(definition: JsonObject, digest: string): Contract;
}

/** As many as all servers of a large gateway list. What is not kept is made again, never done without. */
const mostKept = 8_192;

export function createContracts(patterns: Patterns, sha256: Sha256, clock: () => number): Contracts {
  const kept = new Map<string, Contract>();
  const pause = createPace(clock);
  const of = (definition: JsonObject, digest: string): Contract => {
    const known = kept.get(digest);
    if (known) return known;
    const contract = contractOf(definition, patterns);
    if (kept.size >= mostKept) kept.clear();
    kept.set(digest, contract);
    return contract;
  };
  return {
    of,
    async prepare({ tools }) {
      for (const tool of tools) {
        await pause();
        of(tool, definitionDigest('tool', tool, sha256));
      }
    },
  };
}
