import { isGrpcType } from '../../core/grpc-request.ts';
import type { ResponseHead } from '../../core/head.ts';

/** A gRPC response's head; one that is the whole response needs only a status. Envoy's `isGrpcResponseHeaders`. */
export function isGrpcResponse(head: ResponseHead, end: boolean): boolean {
  if (end) return head.headers.has('grpc-status');
  return head.status === 200 && isGrpcType(head.headers.get('content-type'));
}
