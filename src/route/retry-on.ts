/** What may be tried again, as bits: the tokens of `retry_on`, `x-envoy-retry-on` and `x-envoy-retry-grpc-on`. */
export const RetryOn = {
  FiveXx: 1 << 0,
  GatewayError: 1 << 1,
  Reset: 1 << 2,
  ResetBeforeRequest: 1 << 3,
  ConnectFailure: 1 << 4,
  EnvoyRateLimited: 1 << 5,
  Retriable4xx: 1 << 6,
  RefusedStream: 1 << 7,
  RetriableStatusCodes: 1 << 8,
  RetriableHeaders: 1 << 9,
  Http3PostConnectFailure: 1 << 10,
  Cancelled: 1 << 11,
  DeadlineExceeded: 1 << 12,
  Internal: 1 << 13,
  ResourceExhausted: 1 << 14,
  Unavailable: 1 << 15,
  /** Any of those above. */
  AnyHttp: (1 << 11) - 1,
  /** Any of the five gRPC statuses. */
  AnyGrpc: (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 15),
} as const;

const bits: ReadonlyMap<string, number> = new Map([
  ['5xx', RetryOn.FiveXx],
  ['gateway-error', RetryOn.GatewayError],
  ['reset', RetryOn.Reset],
  ['reset-before-request', RetryOn.ResetBeforeRequest],
  ['connect-failure', RetryOn.ConnectFailure],
  ['envoy-ratelimited', RetryOn.EnvoyRateLimited],
  ['retriable-4xx', RetryOn.Retriable4xx],
  ['refused-stream', RetryOn.RefusedStream],
  ['retriable-status-codes', RetryOn.RetriableStatusCodes],
  ['retriable-headers', RetryOn.RetriableHeaders],
  ['http3-post-connect-failure', RetryOn.Http3PostConnectFailure],
  ['cancelled', RetryOn.Cancelled],
  ['deadline-exceeded', RetryOn.DeadlineExceeded],
  ['internal', RetryOn.Internal],
  ['resource-exhausted', RetryOn.ResourceExhausted],
  ['unavailable', RetryOn.Unavailable],
]);

/** Every token that has an effect. */
export const retryOnTokens: readonly string[] = [...bits.keys()];

/** Tokens are separated by commas; unknown ones, and those that are not among `allowed`, are ignored, as Envoy does. */
export function parseRetryOn(text: string, allowed: number = RetryOn.AnyHttp | RetryOn.AnyGrpc): number {
  let retryOn = 0;
  for (const token of text.split(',')) retryOn |= bits.get(token.trim()) ?? 0;
  return retryOn & allowed;
}
