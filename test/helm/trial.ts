import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Helm, render } from './chart.ts';
import { readContainerfile } from './containerfile.ts';
import { layOut } from './mounts.ts';
import { createPod, type Pod, type Running } from './pod.ts';
import type { Container, Rendered } from './rendered.ts';
import { createTrialSigner } from './trial-token.ts';
import { startTrialUpstream, type TrialUpstream } from './trial-upstream.ts';
import { freePorts, type TrialPorts, trialSecret, trialUrl, trialValues } from './trial-values.ts';

const root = join(import.meta.dirname, '../..');

/** The gateway running as rendered, and all that surrounds it. */
export interface Trial {
  readonly rendered: Rendered;
  readonly pod: Pod;
  readonly gateway: Running;
  readonly ports: TrialPorts;
  readonly upstream: TrialUpstream;
  readonly token: string;
  /** The folder of this machine behind /var/lib/sekisho. */
  readonly state: string;
  /** Runs a container of the same image and mounts to its end. */
  run(container: Pick<Container, 'command' | 'args' | 'env'>): Promise<{ code: number | null; output: string }>;
  close(): Promise<void>;
}

/** `built` is the root of the built image; without it, this repository stands in for the image. */
export async function startTrial(helm: Helm, home: string, built: string | null): Promise<Trial> {
  if (!built) buildWhatTheImageBuilds();
  const folder = join(home, 'trial');
  mkdirSync(folder);
  const [upstream, signer, ports] = await Promise.all([startTrialUpstream(), createTrialSigner(), freePorts()]);
  const values = join(folder, 'values.json');
  writeFileSync(values, JSON.stringify(trialValues(signer, upstream.url, ports)));
  const rendered = render(helm, [values]);
  const image = readContainerfile(join(root, 'Containerfile'));
  const mounts = layOut(rendered, { [trialSecret.name]: { [trialSecret.key]: trialSecret.text } }, folder);
  const names = rendered.services.map((service) => service.metadata.name);
  const pod = createPod({ image, built, mounts, names, home: folder });

  const start = ({ command, args, env }: Pick<Container, 'command' | 'args' | 'env'>): Running =>
    pod.start(
      [...(command ?? image.entrypoint), ...args],
      Object.fromEntries(env.map(({ name, value }) => [name, value])),
    );
  const gateway = start(rendered.pod.containers[0]);
  return {
    rendered,
    pod,
    gateway,
    ports,
    upstream,
    token: await signer.mint(trialUrl),
    state: mounts.find((mount) => mount.to === '/var/lib/sekisho')?.from ?? '',
    async run(container) {
      const running = start(container);
      return { code: await running.ended, output: running.output() };
    },
    async close() {
      gateway.end();
      await Promise.all([gateway.ended, upstream.close()]);
    },
  };
}

/** The image brings the Rego compiler along; here it has to be in build/, made as the Containerfile makes it. */
function buildWhatTheImageBuilds(): void {
  const node = join(root, 'node_modules/.bin/node');
  const { status, stdout, stderr, error } = spawnSync(node, ['gateway/cli/main.ts', 'policy', 'check', 'policies'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the Rego compiler could not be built: ${error?.message ?? `${stdout}${stderr}`}`);
}
