import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/** What fits into `sockaddr_un` on every system we run on, less the ending NUL. */
const longestPath = 103;

/** A socket is bound here, out of reach, until its rights are set; then it appears under its real name at once. */
export interface SocketPlace {
  readonly bindAt: string;
  /** Rights to 0600, then visible under its name. */
  publish(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Makes room for a control socket. A socket that a killed gateway left behind is removed; one that somebody answers at
 * is not.
 *
 * @throws Error that says what is in the way.
 */
export async function prepareSocket(path: string): Promise<SocketPlace> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await clear(path);
  // mkdtemp makes the folder with mode 0700: nobody else can connect before the rights of the socket are set.
  const hidden = await mkdtemp(join(folder, '.c'));
  const bindAt = join(hidden, 's');
  if (Buffer.byteLength(bindAt) > longestPath) {
    await rm(hidden, { recursive: true, force: true });
    throw new Error(`The path of the control socket is too long for a socket: ${path}. Set "state" to a shorter one.`);
  }
  return {
    bindAt,
    async publish() {
      await chmod(bindAt, 0o600);
      await rename(bindAt, path);
      await rm(hidden, { recursive: true, force: true });
    },
    async remove() {
      await rm(path, { force: true });
      await rm(hidden, { recursive: true, force: true });
    },
  };
}

async function clear(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found) return;
  if (!found.isSocket()) throw new Error(`${path} is not a socket, and is in the way of the control socket: move it.`);
  if (await answers(path)) {
    const how = 'Stop it first, or give this one another "state".';
    throw new Error(`A gateway with this state directory is running already: it answers at ${path}. ${how}`);
  }
  await rm(path, { force: true });
}

/** Only a refused connection proves that nobody is there: a busy gateway, or one of another user, is a gateway. */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED');
  } finally {
    socket.destroy();
  }
}
