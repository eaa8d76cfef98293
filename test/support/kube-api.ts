import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivateCa, startTlsServer } from './tls-server.ts';

/** What the API server of a cluster was asked. */
export interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: { readonly spec?: { readonly token?: string; readonly audiences?: readonly string[] } };
}

/** The API server of a cluster, as far as it reviews tokens: real TLS of a private authority, answers as 1.34 writes them. */
export interface KubeApi {
  readonly url: string;
  readonly caFile: string;
  /** The file with the credential that it takes; what stands in it may be changed. */
  readonly tokenFile: string;
  readonly credential: string;
  readonly asked: Asked[];
  /** Uids of pods that were deleted. */
  readonly gone: Set<string>;
  /** Changes the answer; null: it says nothing at all. */
  answer: null | ((status: Record<string, unknown>) => { readonly http: number; readonly body: string });
  close(): Promise<void>;
}

interface Claims {
  readonly aud: readonly string[];
  readonly jti: string;
  readonly sub: string;
  readonly 'kubernetes.io': {
    readonly pod?: { readonly name: string; readonly uid: string };
    readonly serviceaccount: { readonly uid: string };
    readonly node?: { readonly name: string; readonly uid: string };
  };
}

const claimsOf = (token: string): Claims => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

export const review = (status: object, http = 201): { http: number; body: string } => ({
  http,
  body: JSON.stringify({
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      creationTimestamp: null,
      managedFields: [
        {
          manager: 'sekisho',
          operation: 'Update',
          apiVersion: 'authentication.k8s.io/v1',
          fieldsV1: { 'f:spec': { 'f:audiences': {}, 'f:token': {} } },
        },
      ],
    },
    spec: {},
    status,
  }),
});

/** What a cluster says of a token whose pod is there. */
function good(token: string): Record<string, unknown> {
  const { aud, jti, sub, 'kubernetes.io': inside } = claimsOf(token);
  const at = 'authentication.kubernetes.io';
  const { pod, node } = inside;
  return {
    authenticated: true,
    user: {
      username: sub,
      uid: inside.serviceaccount.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${sub.split(':')[2]}`, 'system:authenticated'],
      extra: {
        [`${at}/credential-id`]: [`JTI=${jti}`],
        ...(node ? { [`${at}/node-name`]: [node.name], [`${at}/node-uid`]: [node.uid] } : {}),
        ...(pod ? { [`${at}/pod-name`]: [pod.name], [`${at}/pod-uid`]: [pod.uid] } : {}),
      },
    },
    audiences: aud,
  };
}

/** What it says of one whose pod was deleted: 201, too, and nobody. */
const deleted = { user: {}, error: '[invalid bearer token, service account token has been invalidated]' };

export async function startKubeApi(): Promise<KubeApi> {
  const authority = await createPrivateCa('localhost');
  const folder = await mkdtemp(join(tmpdir(), 'sk-kube-'));
  const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')];
  const credential = 'sa-token-of-the-gateway';
  await Promise.all([writeFile(caFile, authority.ca), writeFile(tokenFile, `${credential}\n`)]);
  const server = await startTlsServer(authority, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Asked['body'];
    const { method, url: path, headers } = request;
    api.asked.push({ method, path, authorization: headers.authorization, body });
    if (!api.answer) return;
    const known = headers.authorization === `Bearer ${credential}`;
    const token = body.spec?.token ?? '';
    const status = api.gone.has(claimsOf(token)['kubernetes.io'].pod?.uid ?? '') ? deleted : good(token);
    const said = known ? api.answer(status) : { http: 401, body: '{"kind":"Status","status":"Failure","code":401}' };
    response.writeHead(said.http, { 'content-type': 'application/json' }).end(said.body);
  });
  const api: KubeApi = {
    ...{ url: `https://127.0.0.1:${server.port}`, caFile, tokenFile, credential, asked: [], gone: new Set() },
    answer: (status) => review(status),
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return api;
}
