import type { RequestHead } from './head.ts';

const grpc = 'application/grpc';

/** `application/grpc`, or with a codec (`+proto`), and nothing else: Envoy's `Grpc::Common::isGrpcRequestHeaders`. */
export function isGrpcRequest(head: RequestHead): boolean {
  const type = head.headers.get('content-type');
  if (type === undefined || !type.startsWith(grpc)) return false;
  return type.length === grpc.length || type.charCodeAt(grpc.length) === 43; /* + */
}
