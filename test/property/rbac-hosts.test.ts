import { expect, test } from 'vitest';
import { Headers } from '../../src/core/headers.ts';
import { HttpVersion, RequestHead } from '../../src/core/head.ts';
import { buildEngine } from '../../src/filter/rbac/engine.ts';
import type { PolicyData, RuleData } from '../../src/filter/rbac/rbac-data.ts';
import { Outcome } from '../../src/observe/outcome.ts';
import * as fc from './chance.ts';

const hosts = ['a.test', 'A.test', 'b.test', 'a', ''] as const;

const leaf: fc.Arbitrary<RuleData> = fc.oneof(
  fc.constant<RuleData>({ kind: 'any' }),
  fc
    .record({
      name: fc.constantFrom(':authority', 'host', ':method', 'x'),
      kind: fc.constantFrom('exact', 'prefix'),
      value: fc.constantFrom(...hosts, 'GET'),
      ignoreCase: fc.boolean(),
      invert: fc.boolean(),
      treatMissingAsEmpty: fc.boolean(),
    })
    .map(({ name, kind, value, ignoreCase, invert, treatMissingAsEmpty }): RuleData => {
      // As decoding leaves it.
      const string = { kind, value: ignoreCase ? value.toLowerCase() : value, ignoreCase } as const;
      return { kind: 'header', header: { name, test: { kind: 'string', string }, invert, treatMissingAsEmpty } };
    }),
);

const { rule } = fc.letrec<{ rule: RuleData }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 4 },
    leaf,
    tie('rule').map((inner): RuleData => ({ kind: 'not', rule: inner })),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      rules: fc.array(tie('rule'), { maxLength: 3 }),
    }) as fc.Arbitrary<RuleData>,
  ),
}));

test('policies that are looked up by host decide as if each were asked', () => {
  const rules = fc.array(rule, { maxLength: 2 });
  const policies = fc.array(fc.record({ permissions: rules, principals: rules }), { maxLength: 6 });
  fc.assert(
    fc.property(policies, fc.constantFrom(...hosts), fc.boolean(), (parts, host, hasRequest) => {
      const named = parts.map((part, i): PolicyData => ({ ...part, name: `p${i}`, condition: null }));
      const outcome = new Outcome();
      if (hasRequest) outcome.requestHead = new RequestHead('GET', host, '/', HttpVersion.Http11, Headers.of());
      const decide = (list: readonly PolicyData[]) =>
        buildEngine({ kind: 'policies', action: 'DENY', policies: list }).decide(outcome).policy;
      // Twice denied, a rule says the same and shows no host.
      const hidden = (list: readonly RuleData[]): RuleData[] =>
        list.map((one) => ({ kind: 'not', rule: { kind: 'not', rule: one } }));
      const all = named.map((policy) => ({
        ...policy,
        permissions: hidden(policy.permissions),
        principals: hidden(policy.principals),
      }));
      const asked = all.find((policy) => decide([policy]) !== '');
      expect(decide(named)).toBe(asked?.name ?? '');
    }),
  );
});
