import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { orderRules } from '../../../../src/config/rules/number-rules.ts';
import { DoubleRulesSchema, UInt64RulesSchema } from '../../../../src/proto/validate/validate_pb.js';

type Init = MessageInitShape<typeof DoubleRulesSchema>;

const cases: [init: Init, right: number[], wrong: number[], allowed: string][] = [
  [{ const: 0 }, [0], [1], 'must be 0'],
  [{ lt: 5 }, [4.9, -Infinity], [5, NaN], 'must be less than 5'],
  [{ lte: 5 }, [5], [5.1, NaN], 'must be at most 5'],
  [{ gt: 5 }, [5.1], [5, NaN], 'must be greater than 5'],
  [{ gte: 5 }, [5], [4.9, NaN], 'must be at least 5'],
  [{ gte: 0, lt: 5 }, [0, 4], [-1, 5, NaN], 'must be at least 0 and less than 5'],
  // The bounds crossed: what is outside.
  [{ gt: 5, lte: 0 }, [6, 0, -1], [1, 5, NaN], 'must be at most 0 or greater than 5'],
  [{ in: [1, 2, 3] }, [1, 3], [0], 'must be 1, 2 or 3'],
  [{ notIn: [1, 2] }, [0], [1], 'must not be 1 or 2'],
];

describe('orderRules', () => {
  it.each(cases)('%o', (init, right, wrong, allowed) => {
    const rules = orderRules<number>(create(DoubleRulesSchema, init), (value) => value, String);
    const broken = (value: number): string[] => rules.map((rule) => rule(value)).filter((one) => one !== null);
    for (const value of right) expect(broken(value), String(value)).toEqual([]);
    for (const value of wrong) expect(broken(value), String(value)).toEqual([allowed]);
  });

  it('is exact with 64 bits', () => {
    const rules = orderRules<bigint>(create(UInt64RulesSchema, { lte: 2n ** 63n }), (value) => value, String);
    expect(rules[0](2n ** 63n)).toBeNull();
    expect(rules[0](2n ** 63n + 1n)).toBe('must be at most 9223372036854775808');
  });
});
