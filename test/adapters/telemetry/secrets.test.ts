import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAudit } from '#gateway/adapters/telemetry/audit.ts';
import { createMetrics } from '#gateway/adapters/telemetry/metrics.ts';
import { createTraces } from '#gateway/adapters/telemetry/traces.ts';
import { learn } from '#gateway/core/call.ts';
import { outcomes } from '#gateway/core/call-end.ts';
import { refuse } from '#gateway/core/refusals.ts';
import { aCall, anEnd, aTarget } from '#test/support/call-ends.ts';
import { someGauges } from '#test/support/gauges.ts';
import { silentLog } from '#test/support/logs.ts';
import { startOtlpReceiver } from '#test/support/otlp-receiver.ts';

test('what a caller and a server say to each other stands in no audit line, metric or span', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-secrets-'));
  const path = join(folder, 'calls.jsonl');
  const collector = await startOtlpReceiver();
  onTestFinished(async () => {
    await collector.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const log = silentLog();
  const audit = createAudit({ path, onFailure: 'block', hmacKey: Buffer.alloc(32), log });
  const metrics = createMetrics({ build: { version: '1' }, gauges: someGauges() });
  const traces = await createTraces({ endpoint: collector.url, ratio: 1, version: '1', env: {}, log });

  let planted = 0;
  const secret = () => `planted-${planted++}-secret`;
  for (const [at, outcome] of outcomes.entries()) {
    const meta = { [secret()]: secret(), progressToken: secret(), baggage: `key=${secret()}` };
    const call = aCall({
      token: secret(),
      session: {
        id: secret(),
        principal: 'run:1',
        run: '1',
        view: 'default',
        client: { revision: '2025-11-25', capabilities: {}, info: { name: '', version: '' }, logLevel: null },
        opened: 0,
      },
      params: { arguments: { password: secret() }, uri: `https://host/?key=${secret()}`, _meta: meta },
      method: at % 2 ? 'tools/call' : 'resources/read',
    });
    traces.begin(call, { traceparent: secret(), tracestate: `k=${secret()}` });
    const target = at % 3 ? aTarget() : null;
    learn(call, { target });
    traces.watch?.begin(call, 'forward');
    learn(call, { args: { body: secret() }, answer: answerWith(secret(), at) });
    const refusal = at % 4 ? null : refuse('policy_denied', secret(), { hint: secret(), codes: ['NO'] });
    traces.watch?.end(call, 'forward', refusal);
    const end = anEnd({ call, target, outcome, refusal, errorCode: -32603 });
    learn(end.record, { args: { body: secret() } });
    for (const recorder of [audit.recorder, metrics.recorder, traces]) recorder.record(end);
  }
  await audit.close();
  await traces.close();
  const written = [readFileSync(path, 'utf8'), await metrics.render(), JSON.stringify(collector.requests)];
  expect(written.map((text) => text.match(/planted-\d+-secret/g))).toEqual([null, null, null]);
  expect(planted).toBeGreaterThan(outcomes.length * 8);
  expect(collector.spans.length).toBeGreaterThan(outcomes.length);
});

const answerWith = (secret: string, at: number) =>
  at % 2
    ? { kind: 'result' as const, result: { content: [{ type: 'text', text: secret }] } }
    : { kind: 'error' as const, error: { code: -32603, message: secret } };
