/**
 * Envoy's response flags, as bits: a stream collects several. Short names are what access logs print.
 * Source: Envoy `source/common/stream_info/utility.h` (short strings).
 */
export const ResponseFlag = {
  None: 0,
  FailedLocalHealthCheck: 1 << 0,
  NoHealthyUpstream: 1 << 1,
  UpstreamRequestTimeout: 1 << 2,
  LocalReset: 1 << 3,
  UpstreamRemoteReset: 1 << 4,
  UpstreamConnectionFailure: 1 << 5,
  UpstreamConnectionTermination: 1 << 6,
  UpstreamOverflow: 1 << 7,
  NoRouteFound: 1 << 8,
  DelayInjected: 1 << 9,
  FaultInjected: 1 << 10,
  RateLimited: 1 << 11,
  UnauthorizedExternalService: 1 << 12,
  RateLimitServiceError: 1 << 13,
  DownstreamConnectionTermination: 1 << 14,
  UpstreamRetryLimitExceeded: 1 << 15,
  StreamIdleTimeout: 1 << 16,
  InvalidEnvoyRequestHeaders: 1 << 17,
  DownstreamProtocolError: 1 << 18,
  UpstreamMaxStreamDurationReached: 1 << 19,
  ResponseFromCacheFilter: 1 << 20,
  NoFilterConfigFound: 1 << 21,
  DurationTimeout: 1 << 22,
  UpstreamProtocolError: 1 << 23,
  NoClusterFound: 1 << 24,
  OverloadManagerTerminated: 1 << 25,
  DnsResolutionFailed: 1 << 26,
  DropOverload: 1 << 27,
  DownstreamRemoteReset: 1 << 28,
  UnconditionalDropOverload: 1 << 29,
} as const;
export type ResponseFlag = (typeof ResponseFlag)[keyof typeof ResponseFlag];

/** Whose fault it was. */
export const Side = { Internal: 0, Downstream: 1, Upstream: 2 } as const;
export type Side = (typeof Side)[keyof typeof Side];

/** Which `retry_on` family a failure belongs to (Envoy `StreamResetReason`). */
export const RetryKind = { Never: 0, Reset: 1, ConnectFailure: 2, RefusedStream: 3 } as const;
export type RetryKind = (typeof RetryKind)[keyof typeof RetryKind];

/** The fixed part of a failure: one constant of the closed list in `failures.ts`. */
export interface FailureKind {
  /** Stable identifier, e.g. `remote-connection-failure`. */
  readonly name: string;
  readonly flag: ResponseFlag;
  readonly side: Side;
  /** Status of the local reply that this failure becomes when nothing has been sent yet; 0: no reply. */
  readonly status: number;
  readonly retry: RetryKind;
  /** Envoy's reset reason or details string, e.g. `remote connection failure`. */
  readonly reason: string;
  /** One sentence for the operator: what to check next. */
  readonly hint: string;
}

/** An expected failure is a value; it is never thrown across a room. */
export class Failure {
  readonly kind: FailureKind;
  /** What the other side or the kernel said (`delayed connect error: Connection refused`), else empty. */
  readonly detail: string;

  constructor(kind: FailureKind, detail = '') {
    this.kind = kind;
    this.detail = detail;
  }

  with(detail: string): Failure {
    return new Failure(this.kind, detail);
  }
}
