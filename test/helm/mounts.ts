import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Rendered, Volume } from './rendered.ts';

/** One mount of the pod: a path of this machine at a path of the container. */
export interface Mount {
  readonly mode: 'ro' | 'rw';
  readonly from: string;
  readonly to: string;
}

const podGroup = 10001;

/** Secret name → key → text: the Secrets the operator would have made. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Lays the pod's volumes out under `home` the way a kubelet does, and says what to mount where. */
export function layOut(rendered: Rendered, secrets: Secrets, home: string): Mount[] {
  return rendered.pod.containers[0].volumeMounts.map((mount) => {
    const volume = rendered.pod.volumes.find((each) => each.name === mount.name);
    if (!volume) throw new Error(`no volume ${mount.name}`);
    const from = join(home, mount.name);
    mkdirSync(from, { recursive: true });
    fill(from, volume, rendered, secrets);
    return { mode: mount.readOnly ? 'ro' : 'rw', from, to: mount.mountPath };
  });
}

function fill(folder: string, volume: Volume, rendered: Rendered, secrets: Secrets): void {
  if (volume.emptyDir) scratch(folder);
  else if (volume.secret) project(folder, { ...secrets[volume.secret.secretName] }, volume.secret.defaultMode);
  else if (volume.configMap) project(folder, configMapFiles(volume.configMap, rendered), 0o644);
  else throw new Error(`volume ${volume.name} is of a kind the trial does not lay out`);
}

function configMapFiles(map: NonNullable<Volume['configMap']>, rendered: Rendered): Record<string, string> {
  const data = rendered.configMaps.get(map.name);
  if (!data) throw new Error(`nobody makes ConfigMap ${map.name}`);
  const items = map.items ?? Object.keys(data).map((key) => ({ key, path: key }));
  return Object.fromEntries(items.map(({ key, path }) => [path, data[key] ?? '']));
}

/** A kubelet's emptyDir under an fsGroup: anyone's to write, of the group, and new files inherit the group. */
function scratch(folder: string): void {
  chownSync(folder, 0, podGroup);
  chmodSync(folder, 0o2777);
}

/**
 * A kubelet's atomic writer: the files are in a folder with a time in its name, `..data` leads to it, and each name at the
 * top leads through `..data`, so that one rename swaps them all.
 */
function project(folder: string, files: Readonly<Record<string, string>>, mode: number): void {
  const version = '..2026_01_01_00_00_00.1';
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, version, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
    chownSync(file, 0, podGroup);
    chmodSync(file, mode);
  }
  symlinkSync(version, join(folder, '..data'));
  const tops = new Set(Object.keys(files).map((path) => path.split('/')[0] ?? path));
  for (const name of tops) symlinkSync(join('..data', name), join(folder, name));
}
