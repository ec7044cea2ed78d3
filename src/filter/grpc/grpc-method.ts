/** What a gRPC path names. */
export interface GrpcMethod {
  readonly service: string;
  readonly method: string;
}

/** `/<service>/<method>`, whatever the query and however many slashes; null: another number of words. */
export function grpcMethodOf(path: string): GrpcMethod | null {
  const query = path.indexOf('?');
  const words = (query < 0 ? path : path.slice(0, query)).split('/').filter((word) => word !== '');
  return words.length === 2 ? { service: words[0], method: words[1] } : null;
}
