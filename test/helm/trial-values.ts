import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import type { TrialSigner } from './trial-token.ts';

const policyFolder = join(import.meta.dirname, '../../policies');

export interface TrialPorts {
  readonly mcp: number;
  readonly admin: number;
}

export const trialUrl = 'https://mcp.example.com';
export const trialSecret = { name: 'remote-credentials', key: 'token', text: 'a-secret-of-the-trial' };

/** Values that use the chart's every kind of mount: own policies, definitions, a Secret, an environment variable. */
export function trialValues(signer: TrialSigner, upstream: string, ports: TrialPorts): object {
  const credential = { kind: 'static', secret: `\${file:/run/secrets/sekisho/remote/${trialSecret.key}}` };
  const reads = { '*': { action: 'read' } };
  return {
    url: trialUrl,
    signers: [{ issuer: signer.issuer, jwks: signer.jwks }],
    servers: {
      definitions: {
        everything: { tier: 'internal', command: ['mcp-server-everything'], tools: reads },
        remote: { tier: 'internal', url: upstream, credential, tools: reads },
      },
    },
    config: { egress: { private: ['127.0.0.1'] } },
    policies: { files: shippedPolicies() },
    secrets: { remote: { existingSecret: trialSecret.name } },
    env: { OTEL_SERVICE_NAME: 'sekisho-trial' },
    listen: { port: ports.mcp },
    admin: { port: ports.admin },
    service: { port: ports.mcp },
    adminService: { port: ports.admin },
  };
}

/** The shipped pack, each file with a line more, so that nothing compiled earlier is it. */
function shippedPolicies(): Record<string, string> {
  const files = readdirSync(policyFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(\.rego|^data\.json)$/.test(entry.name) && !entry.name.endsWith('_test.rego'))
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((file) => {
      const text = readFileSync(file, 'utf8');
      return [relative(policyFolder, file), file.endsWith('.rego') ? `${text}\n# Mounted at ${Date.now()}.\n` : text];
    }),
  );
}

export async function freePorts(): Promise<TrialPorts> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [mcp = 0, admin = 0] = ports;
  return { mcp, admin };
}
