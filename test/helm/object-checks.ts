import { spawnSync } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import type { Container, Rendered } from './rendered.ts';

/** What must hold of the rendered objects of every scenario. Each body throws a sentence when it does not. */

type Check = (rendered: Rendered) => void;

export const objectChecks: Readonly<Record<string, Check>> = {
  'no two objects, variables, ports, volumes or mounts share a name': (rendered) => {
    const { containers, volumes } = rendered.pod;
    unique('object', rendered.names);
    unique('volume', volumes.map(nameOf));
    for (const container of [...containers, ...rendered.testPod.spec.containers]) {
      unique('variable', container.env.map(nameOf));
      unique('port', container.ports.map(nameOf));
      unique(
        'mount',
        container.volumeMounts.map((mount) => mount.mountPath),
      );
    }
    for (const service of rendered.services) unique('service port', service.spec.ports.map(nameOf));
  },
  'the pods are locked down': ({ pod, testPod }) => {
    const expected = {
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    };
    same('pod', pod.securityContext, { ...expected, fsGroup: 10001, fsGroupChangePolicy: 'OnRootMismatch' });
    same('test pod', testPod.spec.securityContext, expected);
    for (const container of [...pod.containers, ...testPod.spec.containers]) {
      const rules = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
      same(container.name, container.securityContext, rules);
    }
    same(
      'service account token',
      [pod.automountServiceAccountToken, testPod.spec.automountServiceAccountToken],
      [false, false],
    );
  },
  'probes ask existing ports, and those of the admin listener only': ({ pod: { containers } }) => {
    const { startupProbe, livenessProbe, readinessProbe, ports } = containers[0];
    same('ports', ports.map(nameOf), ['mcp', 'admin']);
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) same('probe', probe.httpGet.port, 'admin');
    same('startup', startupProbe.httpGet.path, '/livez');
    same('liveness', livenessProbe.httpGet.path, '/livez');
    same('readiness', readinessProbe.httpGet.path, '/readyz');
  },
  'each Service leads to the gateway, to one port of it, and never to the test pod': (rendered) => {
    same(
      'services',
      rendered.services.map((service) => service.spec.ports.map((port) => port.targetPort)),
      [['admin'], ['mcp']],
    );
    const { labels } = rendered.deployment.spec.template.metadata;
    for (const { metadata, spec } of rendered.services) {
      const chosen = (by: Record<string, string>) =>
        Object.entries(spec.selector).every(([key, value]) => by[key] === value);
      if (!chosen(labels)) throw new Error(`${metadata.name} selects no gateway`);
      if (chosen(rendered.testPod.metadata.labels)) throw new Error(`${metadata.name} selects the test pod`);
    }
  },
  'every volume is mounted once, as a whole directory, and writable only where it is scratch or state': ({ pod }) => {
    const mounts = pod.containers[0].volumeMounts;
    same('mounted', mounts.map(nameOf).sort(), pod.volumes.map(nameOf).sort());
    const writable = mounts.filter((mount) => !mount.readOnly).map((mount) => mount.mountPath);
    same('writable', writable, ['/var/lib/sekisho', '/tmp']);
  },
  'stopping leaves time for the calls under way': ({ pod }) => {
    const { seconds } = pod.containers[0].lifecycle.preStop.sleep;
    if (pod.terminationGracePeriodSeconds - seconds < 15) throw new Error('less than 15 s are left after preStop');
  },
};

/** Mounted ConfigMaps are rendered here, or are the ones the values say the operator keeps. */
export function mountedConfigMaps(rendered: Rendered, kept: readonly string[]): void {
  for (const { configMap } of rendered.pod.volumes) {
    if (!configMap || kept.includes(configMap.name)) continue;
    const data = rendered.configMaps.get(configMap.name);
    if (!data) throw new Error(`ConfigMap ${configMap.name} is mounted, but nobody makes it`);
    const missing = configMap.items?.find((item) => !(item.key in data));
    if (missing) throw new Error(`ConfigMap ${configMap.name} has no key ${missing.key}`);
  }
}

/** Kubernetes' own types (unknown and duplicate fields) and its Pod Security level "restricted". */
export function judged(text: string, judge: string): void {
  const { status, stdout, stderr } = spawnSync(judge, { input: text, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
}

const nameOf = (thing: { readonly name: string } | Container): string => thing.name;

function unique(what: string, names: readonly string[]): void {
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice) throw new Error(`two ${what}s are called ${twice}`);
}

function same(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}
