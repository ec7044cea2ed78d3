import { expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { isGrpcResponse } from '../../../../src/filter/grpc/grpc-response.ts';

const head = (status: number, ...fields: readonly (readonly [string, string])[]) =>
  new ResponseHead(status, Headers.of(...fields));

test('with a body: 200 and a gRPC type', () => {
  expect(isGrpcResponse(head(200, ['content-type', 'application/grpc+proto']), false)).toBe(true);
  expect(isGrpcResponse(head(200, ['content-type', 'application/grpc-web']), false)).toBe(false);
  expect(isGrpcResponse(head(200, ['grpc-status', '0']), false)).toBe(false);
  expect(isGrpcResponse(head(503, ['content-type', 'application/grpc']), false)).toBe(false);
});

test('without one: a status', () => {
  expect(isGrpcResponse(head(503, ['grpc-status', '1']), true)).toBe(true);
  expect(isGrpcResponse(head(200, ['content-type', 'application/grpc']), true)).toBe(false);
});
