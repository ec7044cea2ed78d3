import { describe, expect, test } from 'vitest';
import { isGrpcRequest } from '../../../src/core/grpc-request.ts';
import { requestHead } from '../proxy/http/hcm-fixture.ts';

describe('a gRPC request', () => {
  test.each([
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['application/grpc-web', false],
    ['application/grpcx', false],
    ['application/json', false],
    ['Application/grpc', false],
  ])('%s', (type, expected) => {
    expect(isGrpcRequest(requestHead([['content-type', type]]))).toBe(expected);
  });

  test('without a type is none', () => {
    expect(isGrpcRequest(requestHead())).toBe(false);
  });
});
