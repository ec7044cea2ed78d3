/** HTTP status of each gRPC status, index its code. Source: Envoy `Grpc::Utility::grpcToHttpStatus`. */
const statuses: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** `grpc-status` of a head as the HTTP status that it stands for; 0: it is none. */
export function httpStatusOf(grpcStatus: string | undefined): number {
  if (grpcStatus === undefined || !/^\d{1,9}$/.test(grpcStatus)) return 0;
  return statuses[Number(grpcStatus)] ?? 500;
}
