import { createEgress, type Egress } from '#gateway/adapters/egress/egress.ts';
import type { Outside } from '#gateway/compose.ts';
import { openedRanges } from '#gateway/core/egress.ts';

/** The one way out for whatever the gateway fetches by itself. What it refuses is told to the operator only. */
export const openEgress = ({ config, log, resolve }: Outside): Egress =>
  createEgress({
    opened: openedRanges(config.egress.private),
    resolve,
    refused: (name, answers) => log.warn({ name, answers }, 'the gateway may not connect there (egress.private)'),
  });
