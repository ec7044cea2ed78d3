import { Failure, ResponseFlag, RetryKind, Side } from '../../core/failure.ts';

function downstream(name: string, flag: ResponseFlag, details: string, hint: string): Failure {
  // No status: HTTP/2 says what was wrong by RST_STREAM or by closing, as Envoy.
  return new Failure({
    name,
    flag,
    side: Side.Downstream,
    status: 0,
    retry: RetryKind.Never,
    reason: details,
    hint,
  });
}

function invalid(name: string, details: string, hint: string): Failure {
  return downstream(name, ResponseFlag.DownstreamProtocolError, details, hint);
}

function upstream(name: string, retry: RetryKind, reason: string, hint: string): Failure {
  return new Failure({
    name,
    flag: ResponseFlag.UpstreamRemoteReset,
    side: Side.Upstream,
    status: 503,
    retry,
    reason,
    hint,
  });
}

// What may be wrong with a connection or a message. The reasons are Envoy's details strings
// (`Http2ResponseCodeDetailValues`).
export const CodecError = invalid(
  'h2-codec-error',
  // As Envoy's log has it for whatever nghttp2 does not stand.
  'codec_error:The_user_callback_function_failed',
  'The bytes do not follow the rules of HTTP/2: see the detail, and check that the peer speaks HTTP/2 here.',
);
export const InvalidHeader = invalid(
  'h2-invalid-header',
  'http2.invalid.header.field',
  'A header name has upper-case letters or a byte that names may not have, a value has a control character, or a field belongs to HTTP/1 connections.',
);
export const InvalidMessaging = invalid(
  'h2-invalid-messaging',
  'http2.violation.of.messaging.rule',
  'The message breaks a rule of RFC 9113 section 8: pseudo-headers, trailers or a content-length that its body does not have.',
);
/** As Envoy's log has it. */
export const LengthMismatch = invalid(
  'h2-length-mismatch',
  'http2.remote_reset',
  'The body is not as long as its content-length says.',
);
// Envoy takes its own RST_STREAM for the client's in these three.
export const TooManyHeaders = downstream(
  'h2-too-many-headers',
  ResponseFlag.DownstreamRemoteReset,
  'http2.too_many_headers',
  'The head has more fields than max_headers_count allows.',
);
export const HeadersTooLarge = downstream(
  'h2-headers-too-large',
  ResponseFlag.DownstreamRemoteReset,
  'http2.header_list_size_too_large',
  'The head has more bytes than max_request_headers_kb allows.',
);
export const UnexpectedUnderscore = downstream(
  'h2-unexpected-underscore',
  ResponseFlag.DownstreamRemoteReset,
  'http2.unexpected_underscore',
  'A header name contains an underscore and headers_with_underscores_action is REJECT_REQUEST.',
);
export const TooManyStreams = invalid(
  'h2-too-many-streams',
  'codec_error:The_user_callback_function_failed',
  'The client opens more streams than max_concurrent_streams advertises.',
);

// Floods.
export const OutboundFramesFlood = invalid(
  'h2-outbound-frames-flood',
  'http2.outbound_frames_flood',
  'The peer does not read and more frames wait for it than max_outbound_frames or max_outbound_control_frames.',
);
export const InboundEmptyFramesFlood = invalid(
  'h2-inbound-empty-frames-flood',
  'http2.inbound_empty_frames_flood',
  'The peer sends frames without content: max_consecutive_inbound_frames_with_empty_payload.',
);
export const InboundFramesFlood = invalid(
  'h2-inbound-frames-flood',
  'http2.inbound_frames_flood',
  'The peer sends more PRIORITY, WINDOW_UPDATE or RST_STREAM frames than its streams need.',
);
export const PrematureResets = invalid(
  'h2-premature-resets',
  'too_many_premature_resets',
  'The client resets most of its requests as soon as it has sent them, as in a rapid-reset attack.',
);
export const HeaderBlockFlood = invalid(
  'h2-header-block-flood',
  'http2.header_block_flood',
  'The peer sends a header block without end in CONTINUATION frames.',
);

export const PingTimeout = invalid(
  'h2-ping-timeout',
  'http2_ping_timeout',
  'The peer did not answer a keep-alive PING within connection_keepalive.timeout: it hangs, or the network drops its packets.',
);

// What the peer says of a stream.
export const DownstreamRemoteReset = downstream(
  'h2-downstream-remote-reset',
  ResponseFlag.DownstreamRemoteReset,
  'http2.remote_reset',
  'The client cancelled its request.',
);
export const DownstreamRemoteRefused = downstream(
  'h2-downstream-remote-refused',
  ResponseFlag.DownstreamRemoteReset,
  'http2.remote_refuse',
  'The client refused the stream that it had opened itself.',
);
export const UpstreamRemoteReset = upstream(
  'h2-upstream-remote-reset',
  RetryKind.Reset,
  'remote reset',
  'The endpoint reset the stream: look into its log.',
);
export const UpstreamRefusedStream = upstream(
  'h2-upstream-refused-stream',
  RetryKind.RefusedStream,
  'remote refused stream reset',
  'The endpoint did not take the stream: it drains, restarts or has too many of them; a repeat is safe (retry_on: refused-stream).',
);
export const UpstreamConnectError = upstream(
  'h2-upstream-connect-error',
  RetryKind.Reset,
  'remote error with CONNECT request',
  'The endpoint could not connect to where the CONNECT request leads.',
);
