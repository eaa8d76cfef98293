import type { Chance } from './chance.ts';

/** What every hostile document holds somewhere, as a value or as a key: a policy that sees the document denies it. */
const evil = 'evil';

const keys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'toJSON',
  'length',
  'then',
  '',
  ' ',
  'a.b',
  '0',
  '/',
];
const texts = [
  '',
  '\u0000',
  '"',
  '\\',
  '\ud800',
  'x\udc00',
  '\u2028',
  '😀',
  '{"name":1}',
  '-0',
  'null',
  '\ufeff',
  evil,
  // For rules that use what a caller sends as a pattern.
  '.*?y|x',
  '(x{30}){30}',
  '(?i)[^\\pL]',
];
const numbers = [0, -0, 1e308, 5e-324, 2 ** 53, -(2 ** 63), 0.1, Number.NaN, Number.POSITIVE_INFINITY, 1e21];
const falsy = [null, undefined, false, 0, '', 0n, Number.NaN];

/** Something that is no plain object: a policy must never be asked about it. */
export const notAnInput = (chance: Chance): unknown =>
  chance.pick<() => unknown>([
    () => chance.pick(falsy),
    () => JSON.stringify({ name: evil }),
    () => `${JSON.stringify({ name: 'good' })} trailing`,
    () => Buffer.from(JSON.stringify({ name: evil })),
    () => new TextEncoder().encode('{"name":').buffer,
    () => [{ name: evil }],
    () => new Map([['name', evil]]),
    () => Object.create({ name: evil }),
    () => Symbol(evil),
    () => () => evil,
    () => new Proxy([], {}),
    () => Promise.resolve({}),
  ])();

/** A document with something evil in it, and with whatever else might make an engine look away. */
export function hostileDocument(chance: Chance): Record<string, unknown> {
  const document: Record<string, unknown> = { name: chance.pick(texts) };
  for (let i = chance.below(5); i >= 0; i--) put(document, chance.pick(keys), anything(chance, 0));
  const shape = chance.below(5);
  if (shape === 0) document.name = evil;
  else if (shape === 1) put(document, chance.pick(keys), { [evil]: anything(chance, 3) });
  else if (shape === 2) put(document, 'deep', nested(chance, chance.pick([3, 60, 63, 64, 65, 1_000, 20_000])));
  else if (shape === 3) put(document, 'wide', [...wide(chance), evil]);
  else put(document, 'huge', `${'x'.repeat(chance.pick([10, 1_000, 100_000, 1_000_000, 1_100_000]))}${evil}`);
  put(
    document,
    'list',
    Array.from({ length: chance.pick([0, 1, 10, 100, 999]) }, () => chance.pick(texts)),
  );
  put(document, chance.pick(keys), chance.below(4) === 0 ? anything(chance, 0) : 'seen');
  if (shape === 1) put(document, 'kept', { [evil]: 1 });
  return document;
}

/** As a parser makes members: also one called `__proto__`. */
function put(into: object, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

function anything(chance: Chance, depth: number): unknown {
  const kind = chance.below(depth > 4 ? 4 : 8);
  if (kind === 0) return chance.pick(texts);
  if (kind === 1) return chance.pick(numbers);
  if (kind === 2) return chance.pick([true, false, null]);
  if (kind === 3) return chance.below(20) === 0 ? chance.pick([undefined, 1n, new Date(0), new Map(), () => 1]) : 1;
  if (kind < 6) return Array.from({ length: chance.below(6) }, () => anything(chance, depth + 1));
  const made = {};
  for (let i = chance.below(6); i > 0; i--) put(made, chance.pick(keys), anything(chance, depth + 1));
  return made;
}

function nested(chance: Chance, depth: number): unknown {
  let value: unknown = evil;
  for (let i = 0; i < depth; i++) value = chance.below(2) === 0 ? [value] : { a: value };
  return value;
}

const wide = (chance: Chance): unknown[] => {
  const row = Array.from({ length: chance.pick([10, 999, 1_001]) }, (_, i) => i);
  return Array.from({ length: chance.pick([1, 10, 200, 998, 1_001]) }, () => row);
};

/** A decision that a rule might give, with one thing wrong in it: nobody may take it for a yes. */
export function hostileDecision(chance: Chance): unknown {
  const good = { grant: [{ id: 'g' }], deny: [], approve: [], warn: [], obligations: [] };
  const wrong = (value: unknown): unknown => ({ ...good, [chance.pick(Object.keys(good))]: value });
  return chance.pick<() => unknown>([
    () => chance.pick([null, true, 1, 'allow', [], [good], {}, { allow: true }, { result: good }]),
    () => wrong(chance.pick([null, true, {}, 'x', 1, [null], [[]], ['x'], [{}], [{ id: 'g', allow: true }]])),
    () => ({ ...good, [chance.pick(keys)]: anything(chance, 2) }),
    () => ({
      ...good,
      deny: [
        {
          code: 'X',
          message: 'm',
          mode: chance.pick(['Warn', 'off', '', 'shadow ', ['warn'], [['warn']], null, { warn: 1 }]),
        },
      ],
    }),
    () => ({
      ...good,
      obligations: [{ id: 'o', type: chance.pick(['', 'unknown', 'MAX_ANSWER_BYTES']), properties: {} }],
    }),
    () => ({
      ...good,
      obligations: [{ id: 'o', type: 'max_answer_bytes', properties: { bytes: chance.pick([0, -1, '1', null]) } }],
    }),
    () => ({
      ...good,
      obligations: [
        {
          id: 'o',
          type: chance.pick([
            'redact',
            'patch_arguments',
            'rate_limit',
            'timeout',
            'log',
            'step_up',
            'taint',
            'halt_run',
            'constructor',
          ]),
          properties: chance.pick([{}, { [chance.pick(keys)]: anything(chance, 2) }, [], null, 'x']),
        },
      ],
    }),
    () => ({ ...good, grant: [] }),
  ])();
}
