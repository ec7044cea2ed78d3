import { Failure, ResponseFlag, RetryKind, Side, type FailureKind } from './failure.ts';

function failure(
  name: string,
  side: FailureKind['side'],
  flag: FailureKind['flag'],
  status: number,
  retry: FailureKind['retry'],
  reason: string,
  hint: string,
): Failure {
  return new Failure({ name, flag, side, status, retry, reason, hint });
}

const { Upstream, Downstream, Internal } = Side;
const F = ResponseFlag;
const R = RetryKind;

// Upstream: Envoy's StreamResetReason with the reason words of its local reply (reference §1.24).
export const LocalConnectionFailure = failure(
  'local-connection-failure',
  Upstream,
  F.UpstreamConnectionFailure,
  503,
  R.ConnectFailure,
  'local connection failure',
  'The socket to the endpoint could not be opened on this machine: check file-descriptor limits, local ports and the bind address.',
);
export const RemoteConnectionFailure = failure(
  'remote-connection-failure',
  Upstream,
  F.UpstreamConnectionFailure,
  503,
  R.ConnectFailure,
  'remote connection failure',
  'The endpoint refused or dropped the connection: check that it listens on this address and port, and that no policy blocks it.',
);
export const ConnectionTimeout = failure(
  'connection-timeout',
  Upstream,
  F.UpstreamConnectionFailure,
  503,
  R.ConnectFailure,
  'connection timeout',
  'The endpoint did not answer within connect_timeout: check the address, the network path and firewalls that drop silently.',
);
export const ConnectionTermination = failure(
  'connection-termination',
  Upstream,
  F.UpstreamConnectionTermination,
  503,
  R.Reset,
  'connection termination',
  "The endpoint closed the connection before it answered: compare its keep-alive timeout with this cluster's idle_timeout, and look into its log.",
);
export const LocalReset = failure(
  'local-reset',
  Upstream,
  F.LocalReset,
  503,
  R.Reset,
  'local reset',
  'sekisho gave the upstream stream up itself; the details say why.',
);
export const Overflow = failure(
  'overflow',
  Upstream,
  F.UpstreamOverflow,
  503,
  R.Never,
  'overflow',
  'A circuit breaker of the cluster is open: see circuit_breakers.* in its stats and raise its thresholds or add capacity.',
);
export const UpstreamProtocolError = failure(
  'upstream-protocol-error',
  Upstream,
  F.UpstreamProtocolError,
  502,
  R.Reset,
  'protocol error',
  "The endpoint sent something that is not valid HTTP: check its protocol (HTTP/1.1, HTTP/2, TLS) against the cluster's.",
);
export const NoHealthyUpstream = failure(
  'no-healthy-upstream',
  Upstream,
  F.NoHealthyUpstream,
  503,
  R.Never,
  'no_healthy_upstream',
  'The cluster has no endpoint that may be used: check its endpoints, health checks and outlier ejections under /clusters.',
);

// Downstream.
export const DownstreamRemoteClose = failure(
  'downstream-remote-close',
  Downstream,
  F.DownstreamConnectionTermination,
  0,
  R.Never,
  'downstream_remote_disconnect',
  'The client closed its connection before the response was complete.',
);
export const DownstreamLocalClose = failure(
  'downstream-local-close',
  Downstream,
  F.None,
  0,
  R.Never,
  'downstream_local_disconnect',
  "sekisho closed the client's connection; the details say why.",
);

/** Its detail is Envoy's %DOWNSTREAM_TRANSPORT_FAILURE_REASON%. */
export const DownstreamTransportFailure = failure(
  'downstream-transport-failure',
  Downstream,
  F.None,
  0,
  R.Never,
  'downstream_transport_failure',
  "The TLS handshake with the client failed; the detail says why: compare its certificate, its trust bundle and its TLS versions with the listener's.",
);

// Either side of a plain connection.
export const ClosedByPeer = failure(
  'closed-by-peer',
  Internal,
  F.None,
  0,
  R.Reset,
  'remote_close',
  'The peer closed the connection.',
);
export const ClosedLocally = failure(
  'closed-locally',
  Internal,
  F.None,
  0,
  R.Never,
  'local_close',
  'sekisho closed the connection.',
);
export const DelayedCloseTimeout = failure(
  'delayed-close-timeout',
  Internal,
  F.None,
  0,
  R.Never,
  'triggered_delayed_close_timeout',
  'The client did not close its connection after its last answer, so sekisho did.',
);
