import { expect, test } from 'vitest';
import { encodeGrpcMessage } from '../../../../src/filter/grpc/grpc-message.ts';

test('gRPC messages are percent-encoded byte by byte', () => {
  expect(encodeGrpcMessage('a b%~}\n\x7f\xc3')).toBe('a b%25%7E}%0A%7F%C3');
});
