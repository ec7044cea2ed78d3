import { isGrpcRequest } from '../../core/grpc-request.ts';
import type { RequestHead } from '../../core/head.ts';

/** Milliseconds per unit of `grpc-timeout` (gRPC over HTTP/2, "Timeout"). */
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** More digits are not a timeout. */
const digitsMax = 8;

/** What a gRPC request's `grpc-timeout` asks for, in whole milliseconds, rounded up; -1: nothing, or nothing valid. */
export function grpcTimeoutMs(head: RequestHead): number {
  const text = head.headers.get('grpc-timeout');
  if (text === undefined || !isGrpcRequest(head)) return -1;
  const unit = unitMs[text.slice(-1)];
  const digits = text.slice(0, -1);
  if (unit === undefined || digits.length === 0 || digits.length > digitsMax || !/^[0-9]+$/.test(digits)) return -1;
  return Math.ceil(Number(digits) * unit);
}
