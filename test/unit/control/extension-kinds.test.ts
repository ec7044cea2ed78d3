import { expect, it } from 'vitest';

import { extensionKinds } from '../../../src/control/extension-kinds.ts';
import { expressionKind } from '../../../src/observe/expression/expressions.ts';

it('names every message type, and that there are expressions', () => {
  const kinds = (value: object) => [...extensionKinds(value as never)];
  expect(kinds({ a: [{ '@type': 'type.googleapis.com/x.Y' }, { type_url: 'z/q.R' }] })).toEqual(['x.Y', 'q.R']);
  expect(kinds({ text: 'a %CEL(request.path)% b' })).toEqual([expressionKind]);
  expect(kinds({ text: '%TYPED_CEL(1)%' })).toEqual([expressionKind]);
  expect(kinds({ list: ['a', '%CEL(1)%'] })).toEqual([expressionKind]);
  expect(kinds({ text: '%COALESCE({"operators":[{"command":"CEL","param":"1"}]})%' })).toEqual([expressionKind]);
  expect(kinds({ text: '%CELLS%', more: ['CEL'] })).toEqual([]);
  expect(kinds({ policies: { p: { condition: { const_expr: {} } } } })).toEqual([expressionKind]);
  expect(kinds({ policies: { p: { checkedCondition: { expr: {} } } } })).toEqual([expressionKind]);
  expect(
    kinds({ '@type': 'type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter' }),
  ).toEqual([expressionKind, 'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter']);
});
