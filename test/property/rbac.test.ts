import { expect, test } from 'vitest';

import { Headers } from '../../src/core/headers.ts';
import { HttpVersion, RequestHead } from '../../src/core/head.ts';
import { buildEngine } from '../../src/filter/rbac/engine.ts';
import type { RbacAction, RuleData } from '../../src/filter/rbac/rbac-data.ts';
import { Outcome } from '../../src/observe/outcome.ts';
import * as fc from './chance.ts';

const names = ['a', 'b', 'c'] as const;

function present(name: string): RuleData {
  const test = { kind: 'present', present: true } as const;
  return { kind: 'header', header: { name, test, invert: false, treatMissingAsEmpty: false } };
}

const { rule } = fc.letrec<{ rule: RuleData; leaf: RuleData }>((tie) => ({
  leaf: fc.oneof(fc.constantFrom(...names).map(present), fc.constant<RuleData>({ kind: 'any' })),
  rule: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    tie('rule').map((inner): RuleData => ({ kind: 'not', rule: inner })),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      rules: fc.array(tie('rule'), { maxLength: 3 }),
    }) as fc.Arbitrary<RuleData>,
  ),
}));

/** What a rule says, word by word. */
function holds(data: RuleData, headers: ReadonlySet<string>): boolean {
  switch (data.kind) {
    case 'any':
      return true;
    case 'and':
      return data.rules.every((one) => holds(one, headers));
    case 'or':
      return data.rules.some((one) => holds(one, headers));
    case 'not':
      return !holds(data.rule, headers);
    case 'header':
      return headers.has(data.header.name);
    default:
      throw new Error(`no ${data.kind} here`);
  }
}

test('the first policy that holds decides, and nothing else does', () => {
  const rules = fc.array(rule, { minLength: 1, maxLength: 2 });
  const policies = fc.array(fc.record({ permissions: rules, principals: rules }), { maxLength: 4 });
  const actions = fc.constantFrom<RbacAction>('ALLOW', 'DENY', 'LOG');
  fc.assert(
    fc.property(policies, actions, fc.subarray([...names]), (parts, action, present) => {
      const named = parts.map((part, i) => ({ ...part, name: `p${i}`, condition: null }));
      const outcome = new Outcome();
      const headers = Headers.of(...present.map((name) => [name, ''] as const));
      outcome.requestHead = new RequestHead('GET', 'h', '/', HttpVersion.Http11, headers);
      const set = new Set<string>(present);
      const some = (list: readonly RuleData[]) => list.some((one) => holds(one, set));
      const first = named.find(({ permissions, principals }) => some(permissions) && some(principals));
      const decision = buildEngine({ kind: 'policies', action, policies: named }).decide(outcome);
      expect(decision.policy).toBe(first?.name ?? '');
      expect(decision.isAllowed).toBe(action === 'LOG' || (first !== undefined) === (action === 'ALLOW'));
    }),
  );
});
