import { describe, expect, test } from 'vitest';
import { createLog } from '#gateway/adapters/telemetry/log.ts';

function capture(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, to: { write: (line: string) => void lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';

describe('the log', () => {
  test('writes one JSON line a message, with what it is about', () => {
    const { log, last } = capture();
    log.info({ server: 'files', tools: 12 }, 'server is up');
    expect(last()).toMatchObject({ level: 30, server: 'files', tools: 12, msg: 'server is up' });
    expect(Date.parse(String(last().time))).not.toBeNaN();
  });

  test('says nothing below its level', () => {
    const { log, lines } = capture('info');
    log.debug({}, 'a call');
    expect(lines).toEqual([]);
    const talkative = capture('debug');
    talkative.log.debug({}, 'a call');
    expect(talkative.lines.length).toBe(1);
  });

  test.each([
    ['token', { token: jwt }],
    ['deep inside', { request: { headers: [{ Authorization: 'Basic YWRhOnMzY3JldA==' }] } }],
    ['client_secret', { client_secret: 's3cret-value' }],
    ['apiKey', { upstream: { apiKey: 's3cret-value' } }],
    ['set-cookie', { 'set-cookie': 's3cret-value' }],
  ])('leaves out what is named like a secret: %s', (_, fields) => {
    const { log, lines } = capture();
    log.error(fields, 'failed');
    expect(lines.join('')).not.toMatch(/eyJ|s3cret|YWRh/);
    expect(lines.join('')).toContain('[redacted]');
  });

  test('leaves out what looks like one, in a text, in an error and in its cause', () => {
    const { log, lines } = capture();
    log.warn({ why: `bad token ${jwt} given` }, `header was Bearer ${jwt}`);
    const fault = new Error(`cannot verify ${jwt}`, { cause: new Error('Bearer abc.def-123') });
    log.error({ fault: Object.assign(fault, { response: { body: 's3cret' }, code: 'ERR_JWT' }) }, 'a fault');
    expect(lines.join('')).not.toMatch(/eyJ|abc\.def|s3cret/);
    expect(lines.at(-1)).toContain('ERR_JWT');
  });

  test('stays one line, whatever is put in', () => {
    const { log, lines } = capture();
    const round: Record<string, unknown> = {};
    round.self = round;
    log.info({ round, text: 'x\r\n{"level":60}', long: 'y'.repeat(1 << 20) }, 'a\nb');
    expect(lines.length).toBe(1);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(lines[0]?.length).toBeLessThan(8_192);
  });
});
