import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decide } from '#gateway/core/decision.ts';
import { type Layer, layered } from '#gateway/core/layers.ts';
import type { Policy } from '#gateway/core/snapshot.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const says = (document: unknown, looksAt?: readonly string[], revision = 'r'): Policy => ({
  revision,
  ...(looksAt ? { looksAt } : {}),
  judge: () => document,
});
const of = (document: unknown, about: Partial<Layer> = {}): Layer => ({
  policy: says(document),
  groups: [],
  servers: [],
  ...about,
});
const call = { server: { id: 'files' }, principal: { groups: ['payments'] } };
const verdict = (base: unknown, layers: Record<string, Layer>, input: object = call) => {
  const said = decide(layered(says(base), layers, sha256).judge(input));
  return said.verdict === 'unusable' ? said.verdict : [said.verdict, ...said.codes];
};

const grant = { grant: [{ id: 'g' }] };
const denies = { deny: [{ code: 'NO', message: 'no' }] };
const asks = { approve: [{ code: 'ASK' }] };

describe('of several policies', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['a deny beats a grant of another', denies, grant, ['deny', 'NO']],
    ['and does so whichever of them it is', grant, denies, ['deny', 'NO']],
    ['a deny beats an ask', asks, { ...grant, ...denies }, ['deny', 'NO']],
    ['an ask beats a grant', grant, asks, ['ask', 'ASK']],
    ['one grant is enough', {}, grant, ['allow', 'g']],
    ['without any the answer is no', {}, {}, ['deny', 'NOT_GRANTED']],
    ['one without a decision leaves none', grant, undefined, 'unusable'],
    ['one with a member that nobody knows leaves none', grant, { grnat: [] }, 'unusable'],
    ['one with a member that is no list leaves none', grant, { deny: {} }, 'unusable'],
    ['one with a row that nobody knows leaves none', grant, { deny: [{ code: 1 }] }, 'unusable'],
  ])('%s', (_, base, layer, wanted) => {
    expect(verdict(base, { team: of(layer) })).toEqual(wanted);
    expect(verdict(grant, { a: of(base), b: of(layer) })).toEqual(verdict({ ...grant }, { a: of(layer), b: of(base) }));
  });

  test('all obligations hold, and two that patch one argument are no decision', () => {
    const bytes = (n: number) => ({ obligations: [{ id: 'o', type: 'max_answer_bytes', properties: { bytes: n } }] });
    const said = decide(layered(says({ ...grant, ...bytes(9) }), { team: of(bytes(5)) }, sha256).judge(call));
    expect(said).toMatchObject({ obligations: { answerBytes: 5 } });
    const patch = {
      obligations: [{ id: 'o', type: 'patch_arguments', properties: { ops: [{ op: 'remove', path: '/a' }] } }],
    };
    expect(verdict({ ...grant, ...patch }, { team: of(patch) })).toBe('unusable');
  });

  test('one that throws gives no decision for the others', () => {
    const broken: Policy = {
      revision: 'x',
      judge: () => {
        throw new Error('no');
      },
    };
    const policy = layered(says(grant), { team: of(null, { policy: broken }) }, sha256);
    expect(() => policy.judge(call)).toThrow('no');
  });
});

describe('a layer is asked about', () => {
  test.each<[string, Partial<Layer>, object, boolean]>([
    ['every call', {}, call, true],
    ['calls to its servers', { servers: ['files', 'x'] }, call, true],
    ['no others', { servers: ['x'] }, call, false],
    ['calls of its groups', { groups: ['x', 'payments'] }, call, true],
    ['none of others', { groups: ['x'] }, call, false],
    ['what is of both only', { groups: ['payments'], servers: ['x'] }, call, false],
    ['nothing whose server is not known', { servers: ['files'] }, {}, false],
  ])('%s', (_, about, input, asked) => {
    expect(verdict(grant, { team: of(denies, about) }, input)).toEqual(asked ? ['deny', 'NO'] : ['allow', 'g']);
  });
});

test('what all of them look at counts, with what decides who is asked; one that may look anywhere makes it all', () => {
  const one = layered(says({}, ['phase']), { a: { ...of({}), policy: says({}, ['tool.name']) } }, sha256);
  expect(one.looksAt).toEqual(['phase', 'tool.name', 'server.id', 'principal.groups']);
  expect(layered(says({}, ['phase']), { a: of({}) }, sha256).looksAt).toContain('');
});

test('the revision is that of all of them and of whom they are about; without layers it is the policy itself', () => {
  const base = says({});
  expect(layered(base, {}, sha256)).toBe(base);
  const revision = (layers: Record<string, Layer>) => layered(base, layers, sha256).revision;
  const all = [
    revision({ a: of({}) }),
    revision({ b: of({}) }),
    revision({ a: of({}, { groups: ['x'] }) }),
    revision({ a: of({}, { servers: ['x'] }) }),
    revision({ a: { ...of({}), policy: says({}, undefined, 'other') } }),
    revision({ a: of({}), b: of({}) }),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(revision({ a: of({}), b: of({}) })).toBe(revision({ b: of({}), a: of({}) }));
});
