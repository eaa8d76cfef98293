import type { AdminServer } from '#gateway/adapters/http/admin.ts';
import type { PublicServer } from '#gateway/adapters/http/server.ts';
import type { Config } from '#gateway/core/config.ts';
import { StartRefused } from '#gateway/start-refused.ts';

/** Opens both ports and says where they are. */
export async function listen(
  config: Config,
  server: PublicServer,
  admin: AdminServer,
): Promise<{ readonly url: string; readonly adminUrl: string }> {
  const adminPort = await taken('admin', config.admin, (host, port) => admin.listen(host, port));
  const port = await taken('listen', config.listen, (host, port) => server.listen(host, port));
  return {
    url: `http://${hostOf(config.listen.host)}:${port}/mcp`,
    adminUrl: `http://${hostOf(config.admin.host)}:${adminPort}`,
  };
}

/** Listens, or says in the words of the config why it cannot. */
async function taken(
  key: string,
  { host, port }: { readonly host: string; readonly port: number },
  listening: (host: string, port: number) => Promise<number>,
): Promise<number> {
  try {
    return await listening(host, port);
  } catch (fault) {
    const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
    const why = { EADDRINUSE: 'is in use', EACCES: 'may not be opened', EADDRNOTAVAIL: 'is not of this machine' }[code];
    if (why === undefined) throw fault;
    throw new StartRefused(`${host}:${port} ${why}: stop what holds it, or set ${key}.port and ${key}.host.`);
  }
}

const hostOf = (host: string): string => (host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host);
