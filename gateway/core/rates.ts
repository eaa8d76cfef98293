import type { RateRule } from './obligations.ts';
import type { Identity } from './principal.ts';
import type { Target } from './snapshot.ts';

/** Who counts together: names that belong to different rules never meet. */
export function rateName({ key, perMinute }: RateRule, identity: Identity, { server, name }: Target): string {
  const of = {
    principal: identity.principal.id,
    agent: identity.agent.id,
    run: identity.run.id,
    server: server.id,
    // A tool's name is known at its server only.
    tool: [server.id, name],
  };
  return JSON.stringify([perMinute, ...key.map((one) => [one, of[one]])]);
}

/** Names that are remembered at most. Those whose calls are a minute old are forgotten first. */
const mostNames = 50_000;
const minuteMs = 60_000;

interface Bucket {
  /** Calls that may still go, not whole. */
  left: number;
  /** Epoch milliseconds. */
  at: number;
}

/** Takes one call off a name. Null when there is none left, then with the milliseconds until there is. */
export interface Rates {
  take(name: string, perMinute: number, now: number): number | null;
}

/**
 * Counts the calls of each name in this process: as many as a rule says may go at once, and they come back evenly over the
 * minute. The port needs no outside thing.
 */
export function createRates(atMost = mostNames): Rates {
  const buckets = new Map<string, Bucket>();
  return {
    take(name, perMinute, now) {
      let bucket = buckets.get(name);
      if (!bucket) {
        if (buckets.size >= atMost) sweep(buckets, now);
        // More names than are remembered would each begin anew: then nobody new may.
        if (buckets.size >= atMost) return minuteMs;
        bucket = { left: perMinute, at: now };
        buckets.set(name, bucket);
      }
      // A clock that is set back gives nothing back.
      const passed = Math.max(0, now - bucket.at);
      bucket.left = Math.min(perMinute, bucket.left + (passed * perMinute) / minuteMs);
      bucket.at = Math.max(bucket.at, now);
      if (bucket.left < 1) return Math.ceil(((1 - bucket.left) * minuteMs) / perMinute);
      bucket.left -= 1;
      return null;
    },
  };
}

function sweep(buckets: Map<string, Bucket>, now: number): void {
  for (const [name, { at }] of buckets) if (now - at >= minuteMs) buckets.delete(name);
}
