import { looseness } from '#gateway/core/json.ts';

/**
 * Why a result that the gateway asked for itself is not believed, or null. What a server says of itself is digested,
 * approved and served: read leniently, two readers of the same bytes could approve two different definitions (§3.2).
 */
export const disbelief = (source: string | null): string | null =>
  source === null ? null : (looseness(source)?.flaw ?? null);
