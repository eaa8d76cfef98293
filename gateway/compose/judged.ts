import { createDecisionLog, type DecisionLog } from '#gateway/adapters/telemetry/decision-log.ts';
import type { Config } from '#gateway/core/config.ts';
import type { Judgement } from '#gateway/core/decision-event.ts';
import type { Log } from '#gateway/ports.ts';
import { createShadow, type Shadow } from './shadow.ts';

interface Around {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  readonly log: Log;
}

/** Who learns of every judgement about a call, beside its answer. */
export interface JudgedBeside {
  /** Null where no candidate was named. */
  readonly shadow: Shadow | null;
  /** Null where no file was named. */
  readonly decisions: DecisionLog | null;
  /** Null where nobody wants to know: then no call pays for it. */
  readonly told: ((judgement: Judgement) => void) | null;
  close(): Promise<void>;
}

export function openJudged({ config, env, progress, log }: Around): JudgedBeside {
  const { shadow: directory, log: file } = config.policy;
  const around = { state: config.state, env, progress, log };
  const shadow = directory === undefined ? null : createShadow({ directory, ...around });
  const decisions = file === undefined ? null : createDecisionLog({ path: file.path, kept: file.arguments, log });
  const told = (judgement: Judgement): void => {
    shadow?.told(judgement);
    decisions?.told(judgement);
  };
  return {
    shadow,
    decisions,
    told: shadow || decisions ? told : null,
    async close() {
      await shadow?.close();
      await decisions?.close();
    },
  };
}
