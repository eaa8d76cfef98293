import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Rendered } from './rendered.ts';
import type { Trial } from './trial.ts';
import { trialSecret } from './trial-values.ts';

type Probe = Rendered['pod']['containers'][0]['startupProbe'];

interface Page {
  readonly status: number;
  readonly body: string;
}

function ask(port: number, path: string, headers: Record<string, string>): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, async (response) => {
      const body = await response.setEncoding('utf8').reduce((all: string, part: string) => all + part, '');
      resolve({ status: response.statusCode ?? 0, body });
    });
    asked
      .once('error', reject)
      .setTimeout(5_000, () => asked.destroy(new Error('no answer for 5 s')))
      .end();
  });
}

/** A kubelet asks by the pod's address, which no configuration can know. */
const asKubelet = ({ ports }: Trial, probe: Probe): Promise<Page> =>
  ask(ports.admin, probe.httpGet.path, { host: `10.244.1.7:${ports.admin}`, 'user-agent': 'kube-probe/1.34' });

/** Asks as often and as long as the probe would. */
export async function probeUntilWell(trial: Trial, probe: Probe): Promise<void> {
  let last = 'it was never asked';
  for (let failures = 0; failures < probe.failureThreshold; failures += 1) {
    const page = await asKubelet(trial, probe).catch((cause: Error) => ({ status: 0, body: cause.message }));
    if (page.status === 200) return;
    last = `${page.status} ${page.body}`;
    if (trial.gateway.child.exitCode !== null) break;
    await pause(probe.periodSeconds * 1_000);
  }
  throw new Error(`${probe.httpGet.path}: ${last}\n${trial.gateway.output().slice(-3_000)}`);
}

export const trialChecks: Readonly<Record<string, (trial: Trial) => Promise<void>>> = {
  'its user is 10001 without privileges, and it can write to its state and /tmp only': async (trial) => {
    const { code, output } = await trial.run({ command: ['node', '--eval', tryToWrite], args: [], env: [] });
    const expected = '10001 10001 0000000000000000 1 /var/lib/sekisho,/tmp';
    if (code !== 0 || output.trim() !== expected) throw new Error(`found "${output.trim()}", expected "${expected}"`);
  },
  'all three probes find it well': async (trial) => {
    const { startupProbe, livenessProbe, readinessProbe } = trial.rendered.pod.containers[0];
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      const page = await asKubelet(trial, probe);
      if (page.status !== 200) throw new Error(`${probe.httpGet.path} answered ${page.status} ${page.body}`);
    }
  },
  'an agent with a run token lists the tools of the server in the pod and of the one outside': async (trial) => {
    const names = await listTools(trial);
    for (const expected of ['everything__echo', 'remote__ping'])
      if (!names.includes(expected)) throw new Error(`${expected} is not among ${names.join(', ')}`);
  },
  'the mounted Secret is what the outside server was shown, and the run token is not': async ({ upstream, token }) => {
    const shown = [...upstream.credentials];
    if (shown.join() !== `Bearer ${trialSecret.text}`)
      throw new Error(`it was shown: ${shown.join(', ') || 'nothing'}`);
    if (shown.some((credential) => credential.includes(token))) throw new Error('the token went upstream');
  },
  '`helm test` passes: ready, and shut to a caller without a token': async (trial) => {
    const [container] = trial.rendered.testPod.spec.containers;
    const { code, output } = await trial.run(container);
    if (code !== 0) throw new Error(output);
  },
  'a foreign Host is refused at the public door': async ({ ports }) => {
    const { status } = await ask(ports.mcp, '/mcp', { host: 'evil.example.com' });
    if (status !== 403) throw new Error(`answered ${status}`);
  },
  'metrics are on the admin port, and on the public one they are not': async ({ ports }) => {
    const page = await ask(ports.admin, '/metrics', { host: `10.244.1.7:${ports.admin}` });
    if (page.status !== 200 || !/^# HELP /m.test(page.body)) throw new Error(`answered ${page.status}`);
    const outside = await ask(ports.mcp, '/metrics', { host: 'mcp.example.com' });
    if (outside.status === 200) throw new Error('the public port serves them');
  },
};

/** Run in the pod: who am I, what may I do, where may I write. */
const tryToWrite = `
const fs = require('node:fs');
const status = fs.readFileSync('/proc/self/status', 'utf8');
const field = (name) => new RegExp('^' + name + ':\\\\s*(\\\\S+)', 'm').exec(status)[1];
const folders = ['/', '/app', '/usr', '/etc', '/etc/sekisho', '/etc/sekisho.d/servers', '/run/secrets/sekisho/remote',
  '/var/lib/sekisho', '/tmp'];
const writable = folders.filter((folder) => {
  try { fs.writeFileSync(folder + '/trial', ''); fs.unlinkSync(folder + '/trial'); return true; } catch { return false; }
});
console.log(process.getuid(), process.getgid(), field('CapEff'), field('NoNewPrivs'), writable.join());
`;

async function listTools({ ports, token }: Trial): Promise<string[]> {
  const client = new Client({ name: 'helm-trial', version: '1' });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${ports.mcp}/mcp`), { requestInit: { headers } }),
  );
  try {
    return (await client.listTools()).tools.map((tool) => tool.name);
  } finally {
    await client.close();
  }
}

/** The kubelet's order: SIGTERM after preStop, and at the end of the grace period SIGKILL. */
export async function stopAsKubelet({ gateway, rendered }: Trial): Promise<void> {
  const running = gateway.family().size;
  if (running < 2) throw new Error(`it has ${running} processes, so the server in the pod is not one of them`);
  const { terminationGracePeriodSeconds, containers } = rendered.pod;
  const left = terminationGracePeriodSeconds - containers[0].lifecycle.preStop.sleep.seconds;
  gateway.child.kill('SIGTERM');
  const code = await Promise.race([gateway.ended, pause(left * 1_000, 'too late' as const, { ref: false })]);
  if (code !== 0) throw new Error(`it ended with ${code}\n${gateway.output().slice(-3_000)}`);
  const orphans = [...gateway.family().values()];
  if (orphans.length > 0) throw new Error(`left behind: ${orphans.join('; ')}`);
}

/** Neither its output nor any file of its state names a credential. */
export async function keptSecrets({ state, gateway, token }: Trial): Promise<void> {
  const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (files.length === 0) throw new Error('it wrote nothing to its state');
  const signature = token.split('.')[2] ?? token;
  const texts = files.map((file) => [file.name, readFileSync(join(file.parentPath, file.name), 'latin1')] as const);
  for (const [where, text] of [...texts, ['its output', gateway.output()] as const])
    if (text.includes(trialSecret.text) || text.includes(signature)) throw new Error(`${where} holds a credential`);
}
