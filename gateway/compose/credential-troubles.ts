import type { Log } from '#gateway/ports.ts';

/** Milliseconds: callers of whom one is refused and another is not would fill the log with what both find. */
const quiet = 60_000;

/** Troubles that are told apart. */
const mostTroubles = 16;

/**
 * Says when the credential of a server cannot be had, and when it can again; not again for each caller that finds the same.
 * What comes back after it was well is said again, once a minute at most.
 *
 * @param now Milliseconds of a clock that only goes forward.
 */
export function createTroubles(
  about: { readonly server: string; readonly issuer: string },
  log: Pick<Log, 'info' | 'warn'>,
  now: () => number,
): (trouble: string | null) => void {
  const said = new Map<string, number>();
  let well = true;

  return (why) => {
    if (why === null) {
      if (well) return;
      well = true;
      log.info({ server: about.server }, 'the credential of a server can be had again');
      return;
    }
    const before = said.get(why);
    if (before !== undefined && (!well || now() - before < quiet)) return;
    if (said.size >= mostTroubles) said.clear();
    said.set(why, now());
    well = false;
    log.warn({ ...about, why }, 'the credential of a server cannot be had');
  };
}
