import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Audit, type AuditOptions, createAudit } from '#gateway/adapters/telemetry/audit.ts';
import { aCall, anEnd } from '#test/support/call-ends.ts';
import { silentLog } from '#test/support/logs.ts';

const childFile = join(import.meta.dirname, '../../support/audit-child.ts');

const hmacKey = Buffer.from('k'.repeat(32));

let folder = '';
let open: Audit[] = [];
const path = () => join(folder, 'audit', 'calls.jsonl');
const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

function create(over: Partial<AuditOptions> = {}): Audit {
  const audit = createAudit({ path: path(), onFailure: 'block', hmacKey, log: silentLog(), ...over });
  open.push(audit);
  return audit;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sekisho-audit-'));
});

afterEach(async () => {
  for (const audit of open) await audit.close();
  open = [];
  rmSync(folder, { recursive: true, force: true });
});

describe('the audit file', () => {
  test('gets one line a call, in order, which only the owner can read', async () => {
    const audit = create();
    for (let i = 0; i < 1_000; i++) audit.recorder.record(anEnd({ call: aCall({ call: `c-${i}` }) }));
    await audit.flush();
    const lines = linesOf(path());
    expect(lines.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, i) => `c-${i}`));
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
    expect(new Set(lines.map(({ writer }) => writer)).size).toBe(1);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'audit')).mode & 0o077).toBe(0);
    expect(audit.counts()).toEqual({ written: 1_000, dropped: 0 });
  });

  test('is written without anybody asking', async () => {
    const audit = create();
    audit.recorder.record(anEnd());
    await vi.waitFor(() => expect(linesOf(path()).length).toBe(1));
  });

  test('is continued by the next process, also when the last one left half a line', async () => {
    const first = create();
    first.recorder.record(anEnd());
    await first.close();
    appendFileSync(path(), '{"v":1,"half":');
    const second = create();
    second.recorder.record(anEnd());
    await second.flush();
    const [one, half, two] = readFileSync(path(), 'utf8').split('\n');
    expect(JSON.parse(one ?? '')).toMatchObject({ seq: 1 });
    expect(half).toBe('{"v":1,"half":');
    expect(JSON.parse(two ?? '')).toMatchObject({ seq: 1 });
    expect(JSON.parse(two ?? '').writer).not.toBe(JSON.parse(one ?? '').writer);
  });

  test('is closed to others when it was open to them before', async () => {
    mkdirSync(join(folder, 'audit'));
    writeFileSync(path(), '', { mode: 0o644 });
    create();
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  test('gets no line of a dry run', async () => {
    const audit = create();
    audit.recorder.record(anEnd({ call: aCall({ dryRun: true }) }));
    await audit.flush();
    expect(linesOf(path())).toEqual([]);
  });

  test('holds the HMAC of the canonical arguments, so that who lacks the key cannot guess them', async () => {
    const audit = create();
    const args = { path: 'a.txt', deep: { b: 1, a: 2 } };
    const end = anEnd();
    audit.recorder.record({ ...end, record: { ...end.record, args } });
    await audit.flush();
    const text = '{"deep":{"a":2,"b":1},"path":"a.txt"}';
    const digest = createHmac('sha256', hmacKey).update(text).digest('base64url');
    expect(linesOf(path())[0]?.args_digest).toBe(`hmac-sha256-${digest}`);
  });
});

describe('a file that cannot be written', () => {
  test('stops new calls with "block", and loses nothing once it can be written again', async () => {
    mkdirSync(path(), { recursive: true });
    const audit = create();
    expect(audit.ready()).toBe(false);
    for (let i = 0; i < 600; i++) audit.recorder.record(anEnd());
    await expect(audit.flush()).rejects.toMatchObject({ code: 'EISDIR' });
    rmdirSync(path());
    await vi.waitFor(() => expect(audit.ready()).toBe(true), 5_000);
    await audit.flush();
    expect(linesOf(path()).map(({ seq }) => seq)).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
    expect(audit.counts()).toEqual({ written: 600, dropped: 0 });
  });

  test('stops no call with "continue", and counts what was lost in the end', async () => {
    mkdirSync(path(), { recursive: true });
    const audit = create({ onFailure: 'continue' });
    expect(audit.ready()).toBe(true);
    for (let i = 0; i < 10; i++) audit.recorder.record(anEnd());
    await audit.close();
    expect(audit.counts()).toEqual({ written: 0, dropped: 10 });
  });

  test('because the disk is full stops new calls', async () => {
    const audit = create({ path: '/dev/full' });
    expect(audit.ready()).toBe(true);
    audit.recorder.record(anEnd());
    await expect(audit.flush()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(audit.ready()).toBe(false);
  });

  test('and took half a batch is given the other half later, and no line twice', async () => {
    const child = spawn('bash', ['-c', 'ulimit -S -f 8; exec "$0" "$@"', process.execPath, childFile, path()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const left = once(child, 'exit');
    expect((await said.next()).value).toBe('refused EFBIG');
    expect(statSync(path()).size).toBe(8 * 1024);
    execFileSync('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited']);
    expect((await said.next()).value).toBe('done');
    expect(await left).toEqual([0, null]);
    expect(linesOf(path()).map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });
});

describe('lines that wait for the disk', () => {
  const most = 100_000;

  test('have room for 32 MiB: then they are lost, and counted', async () => {
    const audit = create();
    const end = anEnd();
    audit.recorder.record(end);
    await audit.flush();
    const size = statSync(path()).size + 4;
    let recorded = 0;
    while (recorded < most && audit.counts().dropped === 0) {
      audit.recorder.record(end);
      recorded++;
    }
    const room = 32 * 1024 * 1024;
    expect(recorded * size).toBeGreaterThan(room * 0.98);
    expect((recorded - 1) * size).toBeLessThan(room * 1.02);
  });

  test('leave half of the room to calls under way: new ones are stopped before', async () => {
    const audit = create();
    const end = anEnd();
    for (let i = 0; i < most && audit.ready(); i++) audit.recorder.record(end);
    expect(audit.ready()).toBe(false);
    for (let i = 0; i < 2_000; i++) audit.recorder.record(end);
    expect(audit.counts().dropped).toBe(0);
    await audit.flush();
    expect(audit.ready()).toBe(true);
    expect(linesOf(path()).length).toBe(audit.counts().written);
  });
});
