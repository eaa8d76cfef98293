import { inject } from 'vitest';
import type { Carrier } from '#gateway/adapters/upstream/wire.ts';

declare module 'vitest' {
  interface ProvidedContext {
    carrier: Carrier;
  }
}

/** Who carries calls to `http:` servers in this run of a test: vitest.config.ts runs some files once with each. */
export const carrier = (): Carrier => inject('carrier');
