import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical } from '#gateway/core/canonical.ts';
import type { JsonValue } from '#gateway/core/json.ts';

const fromBits = (hex: string): number => Buffer.from(hex, 'hex').readDoubleBE();

describe('the canonical form of RFC 8785', () => {
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s of appendix B as %s', (bits, written) => {
    expect(canonical(fromBits(bits))).toBe(written);
  });

  test.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('refuses the double %s', (bits) => {
    expect(() => canonical(fromBits(bits))).toThrow(TypeError);
  });

  test('writes the example of section 3.2.2', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonical(JSON.parse(input))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('sorts the members of section 3.2.3 by UTF-16 code units', () => {
    const input = String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`;
    const values = [...canonical(JSON.parse(input)).matchAll(/:"([^"]+)"/g)].map((match) => match[1]);
    expect(values).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test.each([
    ['a value', ['\ud800']],
    ['a name', { '\udc00': 1 }],
  ])('refuses a lone surrogate in %s', (_, value) => {
    expect(() => canonical(value)).toThrow(TypeError);
  });

  test('does not normalise: composed and decomposed letters stay apart', () => {
    expect(canonical('\u00e9')).not.toBe(canonical('e\u0301'));
  });

  test('is the same for every order of members, and reads back as the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const shuffled = Object.fromEntries(Object.entries(value).reverse());
        expect(canonical(shuffled as JsonValue)).toBe(canonical(value as JsonValue));
        expect(JSON.parse(canonical(value as JsonValue))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('is the same whether the members came in order or not', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const turned = (one: unknown): unknown => {
          if (Array.isArray(one)) return one.map(turned);
          if (typeof one !== 'object' || one === null) return one;
          return Object.fromEntries(
            Object.entries(one)
              .map(([name, of]) => [name, turned(of)] as const)
              .reverse(),
          );
        };
        expect(canonical(turned(value) as JsonValue)).toBe(canonical(value as JsonValue));
      }),
    );
  });

  test.each([['a\ud800'], [{ b: 1, a: '\udc00' }], [{ a: ['\ud83d'] }], [{ '\ud800': 1 }]])(
    'refuses a lone surrogate wherever it stands, in order or not: %j',
    (value) => {
      expect(() => canonical(value as JsonValue)).toThrow('a lone surrogate has no canonical form');
    },
  );

  test('is not misled by a text that looks like the escape of one', () => {
    expect(canonical({ a: String.raw`\ud800` })).toBe(String.raw`{"a":"\\ud800"}`);
  });
});

test('is the same in whatever order members were made, numbers and __proto__ among their names', () => {
  const names = fc.constantFrom('a', 'b', 'aa', 'é', '\u{1f600}', '\ufb33', '1', '10', '9', '__proto__', 'constructor');
  const value = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<JsonValue>(null, true, 0, -0, 1.5, 'x', 'a\\ud'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(names, tie('value')), { maxLength: 5 }).map((members) => Object.fromEntries(members)),
    ),
  })).value;
  const reversed = (one: JsonValue): JsonValue => {
    if (typeof one !== 'object' || one === null) return one;
    if (Array.isArray(one)) return one.map(reversed);
    const members = Object.entries(one).map(([name, member]) => [name, reversed(member as JsonValue)] as const);
    return Object.fromEntries(members.reverse());
  };
  /** RFC 8785 §3.2.3, said again in other words. */
  const written = (one: JsonValue): string => {
    if (typeof one !== 'object' || one === null) return JSON.stringify(one);
    if (Array.isArray(one)) return `[${one.map(written).join(',')}]`;
    const sorted = Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${written(member as JsonValue)}`).join(',')}}`;
  };
  fc.assert(
    fc.property(value, (one) => {
      expect(canonical(one)).toBe(written(one));
      expect(canonical(reversed(one))).toBe(written(one));
    }),
    { numRuns: 2_000 },
  );
});
