import type { Helm } from './chart.ts';
import type { Tally } from './tally.ts';
import { startTrial, type Trial } from './trial.ts';
import { keptSecrets, probeUntilWell, stopAsKubelet, trialChecks } from './trial-checks.ts';

/** The gateway in the pod that the chart describes: the rendered config, args, user and read-only tree, nothing else. */
export async function contractChecks(
  helm: Helm,
  home: string,
  tally: Tally,
  built: string | null = null,
): Promise<void> {
  let trial: Trial | undefined;
  let well = false;
  await tally.check('the gateway starts as rendered, in the time that its probes allow', async () => {
    trial = await startTrial(helm, home, built);
    const { startupProbe, readinessProbe } = trial.rendered.pod.containers[0];
    await probeUntilWell(trial, startupProbe);
    await probeUntilWell(trial, readinessProbe);
    well = true;
  });
  if (!trial) return;
  const started = trial;
  try {
    if (!well) return;
    for (const [title, check] of Object.entries(trialChecks)) await tally.check(title, () => check(started));
    await tally.check('SIGTERM ends it with 0 in the grace period, and none of its processes is left', () =>
      stopAsKubelet(started),
    );
    await tally.check('neither its output nor its state holds the token or the Secret', () => keptSecrets(started));
  } finally {
    await started.close();
  }
}
