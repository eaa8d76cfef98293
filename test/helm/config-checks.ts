import { posix } from 'node:path';
import { parse } from 'yaml';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { configSchema, includeSchema } from '#gateway/core/config.ts';
import { parseJwks } from '#gateway/core/jwk.ts';
import type { Rendered } from './rendered.ts';

/** The rendered gateway.yaml and server files are what the gateway's own grammar accepts, and fit the pod around them. */
export function gatewayAccepts(rendered: Rendered): void {
  const config = configSchema.parse(parse(gatewayYaml(rendered)));
  const [container] = rendered.pod.containers;
  const ports = container.ports.map((port) => port.containerPort);
  if (config.listen.port !== ports[0] || config.admin.port !== ports[1]) throw new Error(`the ports are ${ports}`);
  if (config.identity.development) throw new Error('development identity in a cluster');

  const at = (path: string) => container.volumeMounts.find((mount) => path.startsWith(`${mount.mountPath}/`));
  for (const path of [config.state, config.store.path, config.audit.path]) {
    if (!path || at(path)?.readOnly !== false) throw new Error(`${path} is not on a writable mount`);
  }
  for (const { jwks } of config.identity.signers) {
    const text = startFiles(rendered)[posix.basename(jwks)];
    const read = text === undefined ? { why: 'it is not mounted' } : parseJwks(text, hashing.sha256);
    if ('why' in read) throw new Error(`${jwks}: ${read.why}`);
  }
  const folders = [...config.include.map((pattern) => posix.dirname(pattern)), config.policy.path];
  for (const folder of folders) {
    const mounted = container.volumeMounts.some((mount) => mount.mountPath === folder);
    if (!mounted && folder !== '/app/policies') throw new Error(`${folder} is not mounted`);
  }
  for (const [name, data] of rendered.configMaps) {
    if (name.endsWith('-servers')) for (const text of Object.values(data)) includeSchema.parse(parse(text));
  }
}

function gatewayYaml(rendered: Rendered): string {
  const text = startFiles(rendered)['gateway.yaml'];
  if (text === undefined) throw new Error('no gateway.yaml is mounted at /etc/sekisho');
  return text;
}

function startFiles(rendered: Rendered): Readonly<Record<string, string>> {
  const mount = rendered.pod.containers[0].volumeMounts.find((each) => each.mountPath === '/etc/sekisho');
  const volume = rendered.pod.volumes.find((each) => each.name === mount?.name);
  return rendered.configMaps.get(volume?.configMap?.name ?? '') ?? {};
}
