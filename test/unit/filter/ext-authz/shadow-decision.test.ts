import { expect, it } from 'vitest';
import { AppendAction } from '../../../../src/filter/ext-authz/check.ts';
import { ShadowDecision } from '../../../../src/filter/ext-authz/shadow-decision.ts';

const field = (name: string, value: string) => ({ name, value, action: AppendAction.OverwriteOrAdd, isAppend: false });

it('tells what would have become of a request', () => {
  const decision = new ShadowDecision('denied', 401, [field('a', 'b'), field('c', '')]);
  expect(decision.toJson()).toEqual({
    check_result: 'DENIED',
    status_code: 401,
    response_headers: [{ key: 'a', value: 'b' }, { key: 'c' }],
  });
  expect(JSON.parse(decision.toPlain())).toEqual(decision.toJson());
  expect(['check_result', 'status_code', 'response_headers'].map((name) => decision.field(name))).toEqual([
    'DENIED',
    '401',
    undefined,
  ]);
  expect(new ShadowDecision('ok', 200, []).toPlain()).toBe('{"check_result":"OK","status_code":200}');
});
