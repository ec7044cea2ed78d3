import type { HuffmanUse } from '../hpack/encoder.ts';
import { stringBytesDefault } from '../hpack/literal-reader.ts';
import { UnderscoreAction } from '../h1/options.ts';
import { noCounters, type H2Counters } from './counters.ts';
import type { HeldBytes } from './flow/held-bytes.ts';
import type { ErrorCode } from './frame/error-code.ts';
import { frameBytesDefault } from './frame/frame.ts';
import { blockBytesFactor, headersCountMax, requestHeadersBytesMax, responseHeadersBytesMax } from './limits.ts';

export { UnderscoreAction } from '../h1/options.ts';

/** `connection_keepalive`. Milliseconds; 0: no such PING. */
export interface KeepAliveOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** `interval_jitter`: up to so much is added to each interval, as a part of it (0.15: 15 %). */
  readonly jitter: number;
  /** `connection_idle_interval`: after so long without bytes a client asks before it opens a stream. */
  readonly idleIntervalMs: number;
}

/** What both roles may be told. Names follow `envoy.config.core.v3.Http2ProtocolOptions`. */
export interface H2Options {
  /** `hpack_table_size`: of both directions. */
  readonly hpackTableSize: number;
  /** `enable_huffman_encoding`. */
  readonly huffman: HuffmanUse;
  /** `max_header_field_size_kb`, in bytes: of one name or value of the peer's, as it is on the wire. */
  readonly headerFieldBytesMax: number;
  /** Of a server: advertised. Of a client: how many it opens, whatever the server would allow. */
  readonly maxConcurrentStreams: number;
  readonly initialStreamWindowSize: number;
  readonly initialConnectionWindowSize: number;
  /** Extended CONNECT (RFC 8441) is advertised and taken. */
  readonly allowConnect: boolean;
  readonly maxOutboundFrames: number;
  readonly maxOutboundControlFrames: number;
  readonly maxConsecutiveInboundFramesWithEmptyPayload: number;
  readonly maxInboundPriorityFramesPerStream: number;
  readonly maxInboundWindowUpdateFramesPerDataFrameSent: number;
  /** `stream_reset_burst` and `stream_reset_rate` (per second): RST_STREAM frames of the peer. */
  readonly streamResetBurst: number;
  readonly streamResetRate: number;
  /** `override_stream_error_on_invalid_http_message`: a malformed message ends its stream, not the connection. */
  readonly streamErrorOnInvalidHttpMessage: boolean;
  /** Bytes of a DATA frame that are taken, where `customSettings` says so to the peer; absent: 16 KiB. */
  readonly dataFrameBytesMax?: number;
  /** Bytes of a DATA frame that is sent, if the peer takes such; absent: 64 KiB. */
  readonly sentFrameBytesMax?: number;
  /** What slow readers may hold without stalling the streams beside theirs; absent: nothing, as Envoy. */
  readonly heldBytes?: HeldBytes;
  /** What RST_STREAM says of a stream that its user gives up; absent: INTERNAL_ERROR, as Envoy. */
  readonly giveUpCode?: ErrorCode;
  /** `custom_settings_parameters`: [identifier, value]. */
  readonly customSettings: readonly (readonly [number, number])[];
  /** Null: off. */
  readonly keepAlive: KeepAliveOptions | null;
  /** Bytes of names and values of one head. */
  readonly headersBytesMax: number;
  readonly headersCountMax: number;
  readonly counters: H2Counters;
}

/** Bytes of a header block, in all its frames. */
export function blockBytesMaxOf({ headersBytesMax }: H2Options): number {
  return headersBytesMax * blockBytesFactor + frameBytesDefault;
}

export interface H2ServerOptions extends H2Options {
  readonly headersWithUnderscores: UnderscoreAction;
  /** `drain_timeout`: the second GOAWAY follows then, if the client has not answered the PING behind the first. */
  readonly drainMs: number;
  /** `stream_flush_timeout`: a response that is complete is given up when nothing of it has left for so long; 0: never. */
  readonly streamFlushMs: number;
  /** `overload.premature_reset_total_stream_count`. */
  readonly prematureResetTotalStreamCount: number;
  /** `overload.premature_reset_min_stream_lifetime_seconds`, in milliseconds. */
  readonly prematureResetMinStreamLifetimeMs: number;
}

export type H2ClientOptions = H2Options;

/** Envoy's defaults. */
const defaultOptions = {
  hpackTableSize: 4096,
  huffman: 'kept',
  headerFieldBytesMax: stringBytesDefault,
  maxConcurrentStreams: 1024,
  initialStreamWindowSize: 16 * 1024 * 1024,
  initialConnectionWindowSize: 24 * 1024 * 1024,
  allowConnect: false,
  maxOutboundFrames: 10_000,
  maxOutboundControlFrames: 1000,
  maxConsecutiveInboundFramesWithEmptyPayload: 1,
  maxInboundPriorityFramesPerStream: 100,
  maxInboundWindowUpdateFramesPerDataFrameSent: 10,
  streamResetBurst: 1000,
  streamResetRate: 33,
  streamErrorOnInvalidHttpMessage: false,
  customSettings: [],
  keepAlive: null,
  headersCountMax,
  counters: noCounters,
} as const;

export const defaultServerOptions: H2ServerOptions = {
  ...defaultOptions,
  headersBytesMax: requestHeadersBytesMax,
  headersWithUnderscores: UnderscoreAction.Allow,
  drainMs: 5000,
  streamFlushMs: 300_000,
  prematureResetTotalStreamCount: 500,
  prematureResetMinStreamLifetimeMs: 1000,
};

export const defaultClientOptions: H2ClientOptions = { ...defaultOptions, headersBytesMax: responseHeadersBytesMax };
