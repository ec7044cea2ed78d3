import { expect, test } from 'vitest';
import { packedKinds } from '../../../src/control/packed-kinds.ts';
import { expressionKind } from '../../../src/observe/expression/expressions.ts';

function kinds(text: string): string[] {
  return [...packedKinds(Buffer.from(text, 'latin1'))].toSorted();
}

test('type URLs are found wherever they lie, up to the byte that ends them', () => {
  const text = '\n\x1ftype.googleapis.com/a.b.v3.C_d9\x12\x05hello"type.googleapis.com/x.Y\x00type.googleapis.com/';
  expect(kinds(text)).toEqual(['', 'a.b.v3.C_d9', 'x.Y']);
});

test('a field that follows an empty message is no part of its name', () => {
  expect(kinds('\x0a\x17type.googleapis.com/a.BB\x01x')).toEqual(['a.B', 'a.BB']);
});

test.each([
  ['type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter\x12', true],
  ['\x0a%CEL(request.path)%', true],
  ['type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC\x12\x0a\x04_==_', true],
  ['type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC\x12\x0a\x04/api', false],
  ['type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault\x12\x0a\x04_==_', false],
])('%j has expressions: %s', (text, has) => {
  expect(packedKinds(Buffer.from(text, 'latin1')).has(expressionKind)).toBe(has);
});

test('kinds are added to those that are known', () => {
  const known = new Set(['k']);
  expect([...packedKinds(Buffer.from('type.googleapis.com/a.B '), known)]).toEqual(['k', 'a.B']);
});
