import { expect, test } from 'vitest';
import { grpcMethodOf } from '../../../../src/filter/grpc/grpc-method.ts';

// Observed on Envoy 1.39.3.
test.each([
  ['/pkg.Service/Method', 'pkg.Service', 'Method'],
  ['/pkg.Service/Method?a=/b', 'pkg.Service', 'Method'],
  ['//pkg.Service//Method/', 'pkg.Service', 'Method'],
])('%s', (path, service, method) => {
  expect(grpcMethodOf(path)).toEqual({ service, method });
});

test.each(['', '/', '/a', '/a/b/c', '/a?/b', '*'])('%j names none', (path) => {
  expect(grpcMethodOf(path)).toBeNull();
});
