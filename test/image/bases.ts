import { existsSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Buildah, command } from './buildah.ts';

/** Base images made on this machine, where the public ones that the Containerfile names may be out of reach. */
export interface Bases {
  readonly plain: string;
  /** The plain one with Go, npm and a Node to run it: for both building stages. */
  readonly building: string;
}

const authorities = '/etc/ssl/certs/ca-certificates.crt';
const path = '/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function makeBases(buildah: Buildah, folder: string, print: (line: string) => void): Bases {
  const system = join(folder, 'debian');
  if (!existsSync(join(system, 'complete'))) {
    print('making a plain Debian with debootstrap …');
    rmSync(system, { recursive: true, force: true });
    command('debootstrap', ['--variant=minbase', 'bookworm', system]);
    command('touch', [join(system, 'complete')]);
  }
  const container = buildah('from', 'scratch');
  buildah('add', '--quiet', container, system, '/');
  buildah('config', '--env', `PATH=${path}`, container);
  buildah('commit', '--quiet', container, 'localhost/plain');
  print('adding Go and npm of this machine for the building stages …');
  addBuildTools(buildah, container);
  buildah('commit', '--quiet', container, 'localhost/building');
  buildah('rm', container);
  return { plain: 'localhost/plain', building: 'localhost/building' };
}

function addBuildTools(buildah: Buildah, container: string): void {
  const npm = realpathSync(process.env.npm_execpath ?? command('sh', ['-c', 'command -v npm']));
  buildah('add', '--quiet', container, command('go', ['env', 'GOROOT']), '/usr/local/go');
  buildah('add', '--quiet', container, realpathSync(process.execPath), '/usr/local/bin/node');
  buildah('add', '--quiet', container, resolve(dirname(npm), '..'), '/usr/local/lib/npm');
  buildah('run', container, '--', 'ln', '-s', '../lib/npm/bin/npm-cli.js', '/usr/local/bin/npm');
  // The public images for Go and Node have a C compiler, and with it the library that Node asks for.
  const install = 'apt-get update && apt-get install --yes --no-install-recommends libatomic1 ca-certificates';
  buildah('run', container, '--', 'sh', '-c', install);
  if (!existsSync(authorities)) return;
  // Registries may be reached through a proxy that only this machine's list of authorities knows.
  buildah('add', '--quiet', container, authorities, authorities);
  buildah('config', '--env', `NODE_EXTRA_CA_CERTS=${authorities}`, container);
}
