import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** The parts of the rendered objects that the checks speak of. Kubernetes' own types are the judge's business. */

const metadata = z.looseObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

const probe = z.looseObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string() }),
  periodSeconds: z.int(),
  failureThreshold: z.int(),
  timeoutSeconds: z.int(),
});

const container = z.looseObject({
  name: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.int() })).default([]),
  securityContext: z.unknown(),
  volumeMounts: z
    .array(z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) }))
    .default([]),
});

const gateway = container.extend({
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.strictObject({ preStop: z.strictObject({ sleep: z.strictObject({ seconds: z.int() }) }) }),
});

const volume = z.strictObject({
  name: z.string(),
  configMap: z
    .strictObject({
      name: z.string(),
      items: z.array(z.strictObject({ key: z.string(), path: z.string() })).optional(),
    })
    .optional(),
  secret: z.strictObject({ secretName: z.string(), defaultMode: z.int() }).optional(),
  emptyDir: z.looseObject({}).optional(),
  persistentVolumeClaim: z.strictObject({ claimName: z.string() }).optional(),
});

const pod = z.looseObject({
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.looseObject({}),
  containers: z.tuple([gateway]),
  volumes: z.array(volume),
});

const anyObject = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata });
const deployment = anyObject.extend({
  spec: z.looseObject({
    replicas: z.int(),
    template: z.looseObject({ metadata: metadata.omit({ name: true }), spec: pod }),
  }),
});
const service = anyObject.extend({
  spec: z.looseObject({
    selector: z.record(z.string(), z.string()),
    ports: z.array(z.looseObject({ name: z.string(), port: z.int(), targetPort: z.string() })),
  }),
});
const configMap = anyObject.extend({ data: z.record(z.string(), z.string()) });
const testPod = anyObject.extend({
  spec: z.looseObject({ automountServiceAccountToken: z.boolean(), containers: z.tuple([container]) }),
});

export type Deployment = z.output<typeof deployment>;
export type Pod = z.output<typeof pod>;
export type Volume = z.output<typeof volume>;
export type Container = z.output<typeof container>;
export type Service = z.output<typeof service>;

export interface Rendered {
  readonly names: readonly string[];
  readonly deployment: Deployment;
  readonly pod: Pod;
  readonly services: readonly Service[];
  readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly testPod: z.output<typeof testPod>;
}

export function readRendered(text: string): Rendered {
  const objects = parseAllDocuments(text).map((document) => {
    if ('errors' in document && document.errors[0]) throw document.errors[0];
    return anyObject.parse(document.toJS());
  });
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
  const found = deployment.parse(ofKind('Deployment')[0]);
  const maps = ofKind('ConfigMap').map((object) => configMap.parse(object));
  return {
    names: objects.map((object) => `${object.kind} ${object.metadata.name}`),
    deployment: found,
    pod: found.spec.template.spec,
    services: ofKind('Service').map((object) => service.parse(object)),
    configMaps: new Map(maps.map((map) => [map.metadata.name, map.data])),
    testPod: testPod.parse(ofKind('Pod')[0]),
  };
}
