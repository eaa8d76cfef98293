import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';

/** A certificate authority that nobody else knows, and a certificate of it for the names it was asked for. */
export interface PrivateCa {
  /** PEM: what somebody has to believe. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Real TLS: an authority of the test's own signs for `names` and 127.0.0.1. */
export async function createPrivateCa(...names: readonly string[]): Promise<PrivateCa> {
  const usual = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;
  const authority = await generate([{ name: 'commonName', value: 'test authority' }], {
    ...usual,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const dns = names.map((value) => ({ type: 2, value }) as const);
  const leaf = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    ...usual,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [...dns, { type: 7, ip: '127.0.0.1' }] },
    ],
  });
  return { ca: authority.cert, cert: leaf.cert, key: leaf.private };
}

export interface TlsServer {
  readonly port: number;
  /** Connections that were opened, whether or not TLS came to stand. */
  readonly connections: () => number;
  close(): Promise<void>;
}

export async function startTlsServer({ cert, key }: PrivateCa, listener: RequestListener): Promise<TlsServer> {
  const server = createServer({ cert, key }, listener);
  let connections = 0;
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
