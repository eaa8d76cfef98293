import { createControlServer } from '#gateway/adapters/control/server.ts';
import { aControlApi } from './control-api.ts';
import { scratchFolder } from './scratch-folder.ts';

/** A gateway's control socket, as `control.sock` in a folder of its own. */
export interface ControlSocket extends AsyncDisposable {
  readonly path: string;
  readonly folder: string;
  readonly api: ReturnType<typeof aControlApi>;
}

export async function controlSocket(api = aControlApi()): Promise<ControlSocket> {
  const folder = await scratchFolder();
  const path = folder.at('control.sock');
  const server = await createControlServer({ path, api, log: { error: () => undefined } });
  return {
    path,
    folder: folder.path,
    api,
    async [Symbol.asyncDispose]() {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
