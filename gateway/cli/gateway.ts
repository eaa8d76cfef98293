import { type ControlRefusal, isControlRefusal } from '#gateway/adapters/control/api.ts';
import { type ControlClient, controlClient } from '#gateway/adapters/control/client.ts';
import { type Exit, Failure } from './exit.ts';
import { socketPath, type Where } from './locate.ts';
import type { Shell } from './shell.ts';

/** Speaks to the running gateway, and hangs up in any case. */
export async function withGateway<T>(shell: Shell, where: Where, run: (gateway: ControlClient) => Promise<T>) {
  const client = controlClient(await socketPath(shell, where));
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}

const exits = {
  invalid: 'usage',
  unknown: 'usage',
  conflict: 'conflict',
  not_permitted: 'notPermitted',
  unreachable: 'unreachable',
  not_running: 'unreachable',
  fault: 'bug',
} as const satisfies Record<ControlRefusal['refused'], Exit>;

/** The answer; a "no" ends the command with the exit code that stands for it. */
export function granted<T>(answer: T | ControlRefusal): T {
  if (isControlRefusal(answer)) throw new Failure(exits[answer.refused], answer.detail);
  return answer;
}
