import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createHelm } from '#test/helm/chart.ts';
import { type Image, readContainerfile } from '#test/helm/containerfile.ts';
import { contractChecks } from '#test/helm/contract.ts';
import { buildPrograms } from '#test/helm/programs.ts';
import { createTally, type Tally } from '#test/helm/tally.ts';
import { makeBases } from './bases.ts';
import { type Buildah, createBuildah, needs } from './buildah.ts';

// `npm run test:image`: buildah builds the Containerfile, on bases made here; then the chart's contract is kept by a
// container of that very image. Some minutes; what debootstrap made stays in build/image for the next time.

const root = join(import.meta.dirname, '../..');
const name = 'localhost/sekisho';
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function buildImage(buildah: Buildah, folder: string): void {
  const bases = makeBases(buildah, folder, print);
  print('building the image …');
  const given = { PACKAGES_BASE: bases.building, COMPILER_BASE: bases.building, BASE: bases.plain };
  const words = Object.entries(given).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  buildah('bud', '--isolation', 'chroot', ...words, '--tag', name, root);
}

async function imageChecks(buildah: Buildah, built: string, tally: Tally): Promise<void> {
  const image = readContainerfile(join(root, 'Containerfile'));
  await tally.check('the image says what the Containerfile says: user, command, folder, environment', () => {
    const { OCIv1 } = JSON.parse(buildah('inspect', '--type', 'image', name)) as { OCIv1: { config: ImageConfig } };
    const { User, Entrypoint, WorkingDir, Env } = OCIv1.config;
    const found = { user: User, entrypoint: Entrypoint, workdir: WorkingDir, env: [...Env].sort() };
    if (!isDeepStrictEqual(found, { ...said(image) })) throw new Error(JSON.stringify(found));
  });
  await tally.check('it holds what runs and nothing else: no Go, no npm, no development package, no test', () => {
    const inApp = readdirSync(join(built, 'app')).sort();
    if (inApp.join() !== [...image.paths].sort().join()) throw new Error(`/app holds ${inApp.join(', ')}`);
    const unwanted = ['usr/local/go', 'usr/local/bin/npm', 'app/node_modules/vitest', 'app/node_modules/typescript'];
    const found = unwanted.filter((path) => existsSync(join(built, path)));
    if (found.length > 0) throw new Error(`it holds ${found.join(', ')}`);
  });
}

interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Env: readonly string[];
}

const said = ({ user, entrypoint, workdir, env }: Image) => ({
  user,
  entrypoint: [...entrypoint],
  workdir,
  env: Object.entries(env)
    .map(([key, value]) => `${key}=${value}`)
    .sort(),
});

async function main(): Promise<number> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error(needs);
  const folder = join(root, 'build/image');
  const home = mkdtempSync(join(tmpdir(), 'sekisho-image-'));
  const tally = createTally(print);
  const store = join(folder, 'store');
  const buildah = createBuildah(store);
  let container = '';
  try {
    const { helm } = buildPrograms(print);
    await tally.check('buildah builds every stage of the Containerfile', () => {
      buildImage(buildah, folder);
      container = buildah('from', name);
    });
    if (container) {
      const built = buildah('mount', container);
      await imageChecks(buildah, built, tally);
      await contractChecks(createHelm(helm, home), home, tally, built);
    }
  } finally {
    if (container) buildah('rm', container);
    for (const made of [home, store]) rmSync(made, { recursive: true, force: true });
  }
  return tally.close();
}

try {
  process.exitCode = (await main()) === 0 ? 0 : 1;
} catch (cause) {
  print(`${cause instanceof Error ? cause.message : String(cause)}\n\n0 passed, 1 failed`);
  process.exitCode = 1;
}
