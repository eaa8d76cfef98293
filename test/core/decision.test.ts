import { describe, expect, test } from 'vitest';
import { decide } from '#gateway/core/decision.ts';

const grant = { id: 'grant.dev' };
const deny = { code: 'PATH_OUTSIDE_ROOT', message: 'outside' };
const ask = { code: 'RISKY_CALL', ttl_s: 60 };

describe('a decision', () => {
  test('is deny when no rule grants', () => {
    expect(decide({})).toMatchObject({ verdict: 'deny', codes: ['NOT_GRANTED'] });
  });

  test('is allow when one grants', () => {
    expect(decide({ grant: [grant] })).toMatchObject({ verdict: 'allow', codes: ['grant.dev'] });
  });

  test('is deny when one rule denies, whatever the others say', () => {
    expect(decide({ grant: [grant], approve: [ask], deny: [deny] })).toMatchObject({
      verdict: 'deny',
      codes: ['PATH_OUTSIDE_ROOT'],
    });
  });

  test('is ask when one rule asks, with the shortest time to live', () => {
    const asks = [ask, { code: 'OTHER', ttl_s: 30, groups: ['owners'], not_requester: true }];
    expect(decide({ grant: [grant], approve: asks })).toMatchObject({
      verdict: 'ask',
      ttl: 30,
      groups: ['owners'],
      notRequester: true,
    });
  });

  test('is not granted by an approval alone', () => {
    expect(decide({ approve: [ask] })).toMatchObject({ verdict: 'deny', codes: ['NOT_GRANTED'] });
  });

  test.each(['warn', 'shadow'])('is what it would be without the rules in mode %s, and names them', (mode) => {
    const rules = { deny: [{ ...deny, mode }], approve: [{ ...ask, mode }] };
    const named = ['PATH_OUTSIDE_ROOT', 'RISKY_CALL'];
    const beside = mode === 'warn' ? { warned: named, shadowed: [] } : { warned: [], shadowed: named };
    expect(decide({ grant: [grant], ...rules })).toMatchObject({ verdict: 'allow', codes: ['grant.dev'], ...beside });
    expect(decide(rules)).toMatchObject({ verdict: 'deny', codes: ['NOT_GRANTED'], ...beside });
    expect(decide({ grant: [grant], deny: [deny, ...rules.deny], approve: [ask] })).toMatchObject({
      verdict: 'deny',
      codes: ['PATH_OUTSIDE_ROOT'],
    });
  });

  test('says nothing of a rule in mode shadow to the caller, and keeps what a rule warns of for the record', () => {
    const warn = { code: 'OLD_TOOL', message: 'use the new one' };
    const said = decide({ grant: [grant], warn: [warn], deny: [{ ...deny, mode: 'shadow' }], approve: [ask] });
    expect(said).toMatchObject({
      verdict: 'ask',
      codes: ['RISKY_CALL'],
      messages: ['RISKY_CALL'],
      warned: ['OLD_TOOL'],
    });
  });

  test('takes the smallest answer that an obligation allows', () => {
    const row = (bytes: number) => ({ id: 'o', type: 'max_answer_bytes', properties: { bytes } });
    expect(decide({ grant: [grant], obligations: [row(500), row(100)] })).toMatchObject({
      obligations: { answerBytes: 100 },
    });
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['true', true],
    ['a list', [grant]],
    ['an unknown member', { grant: [grant], allow: true }],
    ['a misspelt member', { grnat: [grant] }],
    ['a grant without an id', { grant: [{}] }],
    ['a grant with more than an id', { grant: [{ id: 'x', tools: [] }] }],
    ['grants as an object', { grant: { id: 'x' } }],
    ['a deny with an unknown mode', { grant: [grant], deny: [{ ...deny, mode: 'off' }] }],
    ['an approval with an unknown mode', { grant: [grant], approve: [{ ...ask, mode: 'Shadow' }] }],
    ['a grant with a mode', { grant: [{ ...grant, mode: 'shadow' }] }],
    ['a deny whose mode is a list', { grant: [grant], deny: [{ ...deny, mode: ['warn'] }] }],
    ['a deny without a code', { grant: [grant], deny: [{ message: 'x' }] }],
    ['an approval by two people', { grant: [grant], approve: [{ ...ask, min: 2 }] }],
    ['an approval for the whole run', { grant: [grant], approve: [{ ...ask, scope: 'run' }] }],
    ['an unknown obligation', { grant: [grant], obligations: [{ id: 'o', type: 'redact', properties: {} }] }],
    ['an obligation without its number', { grant: [grant], obligations: [{ id: 'o', type: 'max_answer_bytes' }] }],
  ])('cannot be read from %s, so nothing may pass', (_, document) => {
    expect(decide(document)).toMatchObject({ verdict: 'unusable' });
  });
});

test.each<[string, object]>([
  ['a row', { deny: [{ ...deny, detai: 'hunter2' }] }],
  ['a row that is none', { approve: ['hunter2'] }],
  ['the name of a member', { hunter2: [] }],
  ['the type of an obligation', { obligations: [{ id: 'x', type: 'hunter2' }] }],
  ['a grant', { grant: [{ id: 7, hunter2: 1 }] }],
])('of a document that cannot be read, %s is not repeated', (_, document) => {
  const said = decide(document);
  expect(said.verdict).toBe('unusable');
  expect(JSON.stringify(said)).not.toContain('hunter2');
});
