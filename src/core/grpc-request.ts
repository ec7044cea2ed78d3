import type { RequestHead } from './head.ts';

const grpc = 'application/grpc';

/** `application/grpc`, or with a codec (`+proto`), and nothing else: Envoy's `Grpc::Common::isGrpcRequestHeaders`. */
export function isGrpcRequest(head: RequestHead): boolean {
  return isGrpcType(head.headers.get('content-type'));
}

/** Whether a `content-type` is gRPC's own. */
export function isGrpcType(type: string | undefined): boolean {
  if (type === undefined || !type.startsWith(grpc)) return false;
  return type.length === grpc.length || type.charCodeAt(grpc.length) === 43; /* + */
}
