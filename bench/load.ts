import { Worker } from 'node:worker_threads';
import { type Connection, openConnection } from './connection.ts';
import { type Asked, callText, firstId } from './message.ts';
import { serve } from './part.ts';

/** Where calls go, and what every one of them carries. */
export interface Target extends Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Closed: each connection sends its next call when it has its answer. With a rate: at fixed moments, whatever comes back. */
export type Job = Target & { readonly seconds: number; readonly connections: number; readonly rate: number | null };

/** Latencies in microseconds; of an open loop from the moment at which a call was meant to be sent. */
export interface Measured {
  readonly calls: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

const now = (): number => Number(process.hrtime.bigint() / 1000n);

let lastId = firstId;

const requestText = (target: Target): ((id: number) => string) => {
  const { url, headers } = target;
  const { host, pathname } = new URL(url);
  const length = Buffer.byteLength(callText(firstId, target));
  const usual = {
    host,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'user-agent': 'sekisho-bench/1',
    'content-length': String(length),
  };
  const lines = Object.entries({ ...usual, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`;
  return (id) => head + callText(id, target);
};

const toward = ({ url, kind }: Target) => ({ port: Number(new URL(url).port), kind });

/** Each connection sends its next call when the answer to the last one is there. */
function closed(job: Job): Promise<Measured> {
  const request = requestText(job);
  const took: number[] = [];
  const sentAt = new Map<Connection, number>();
  const connections: Connection[] = [];
  let end = 0;
  return new Promise((resolve, reject) => {
    const send = (connection: Connection): void => {
      const id = ++lastId;
      connection.waiting.push(id);
      sentAt.set(connection, now());
      connection.socket.write(request(id), 'latin1');
    };
    const arrived = (connection: Connection): void => {
      const at = now();
      took.push(at - (sentAt.get(connection) ?? at));
      if (at < end) {
        send(connection);
        return;
      }
      connection.socket.destroy();
      connections.splice(connections.indexOf(connection), 1);
      if (connections.length === 0) resolve(summary(took, (at - begun) / 1e6));
    };
    const begin = async (): Promise<void> => {
      for (let n = 0; n < job.connections; n++) connections.push(await openConnection(toward(job), arrived, broken));
    };
    const broken = (why: string): void => reject(new Error(why));
    let begun = 0;
    begin().then(() => {
      begun = now();
      end = begun + job.seconds * 1e6;
      for (const connection of [...connections]) send(connection);
    }, reject);
  });
}

/** Calls leave at fixed moments, whether answers are there or not. */
async function open(job: Job, rate: number): Promise<Measured> {
  const request = requestText(job);
  const calls = Math.round(job.seconds * rate);
  const interval = 1e6 / rate;
  const took: number[] = [];
  const connections: Connection[] = [];
  const base = lastId + 1;
  lastId += calls;
  const due = (id: number): number => begun + (id - base) * interval;
  let begun = 0;
  let done = (): void => undefined;
  let fail = (_: Error): void => undefined;
  const finished = new Promise<void>((resolve, reject) => {
    done = resolve;
    fail = reject;
  });
  const arrived = (_: Connection, id: number): void => {
    took.push(now() - due(id));
    if (took.length === calls) done();
  };
  for (let n = 0; n < job.connections; n++) {
    connections.push(await openConnection(toward(job), arrived, (why) => fail(new Error(why))));
  }
  begun = now() + 50_000;
  const fds = connections.map(({ socket, waiting }, n) => {
    for (let id = base + n; id < base + calls; id += job.connections) waiting.push(id);
    return descriptor(socket);
  });
  const texts = Array.from({ length: calls }, (_, n) => request(base + n));
  const pacer = new Worker(new URL('./pacer.ts', import.meta.url), { workerData: { fds, texts, begun, interval } });
  pacer.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
  try {
    await finished;
  } finally {
    await pacer.terminate();
    for (const { socket } of connections) socket.destroy();
  }
  return summary(took, (now() - begun) / 1e6);
}

/** Node has no public name for it; the pacer writes to it from a thread of its own. */
function descriptor(socket: object): number {
  const { _handle } = socket as { readonly _handle?: { readonly fd: number } };
  if (!_handle || _handle.fd < 0) throw new Error('a socket without a descriptor');
  return _handle.fd;
}

function summary(took: number[], seconds: number): Measured {
  const sorted = Float64Array.from(took).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { calls: took.length, seconds, p50: at(0.5), p99: at(0.99) };
}

serve(
  {},
  () => undefined,
  async (question) => {
    const job = question as Job;
    return job.rate === null ? closed(job) : open(job, job.rate);
  },
);
