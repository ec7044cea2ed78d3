/** Envoy's `http2.` counters. */
export const H2Counter = {
  DroppedHeadersWithUnderscores: 0,
  GoawaySent: 1,
  HeaderOverflow: 2,
  HeadersCbNoStream: 3,
  InboundEmptyFramesFlood: 4,
  InboundPriorityFramesFlood: 5,
  InboundWindowUpdateFramesFlood: 6,
  KeepaliveTimeout: 7,
  MetadataEmptyFrames: 8,
  OutboundControlFlood: 9,
  OutboundFlood: 10,
  RequestsRejectedWithUnderscoresInHeaders: 11,
  RxMessagingError: 12,
  RxReset: 13,
  StreamRefusedErrors: 14,
  Trailers: 15,
  TxFlushTimeout: 16,
  TxReset: 17,
  HeaderListSizeTooLarge: 18,
} as const;
export type H2Counter = (typeof H2Counter)[keyof typeof H2Counter];

/** Their names, at their numbers. */
export const h2CounterNames: readonly string[] = [
  'dropped_headers_with_underscores',
  'goaway_sent',
  'header_overflow',
  'headers_cb_no_stream',
  'inbound_empty_frames_flood',
  'inbound_priority_frames_flood',
  'inbound_window_update_frames_flood',
  'keepalive_timeout',
  'metadata_empty_frames',
  'outbound_control_flood',
  'outbound_flood',
  'requests_rejected_with_underscores_in_headers',
  'rx_messaging_error',
  'rx_reset',
  'stream_refused_errors',
  'trailers',
  'tx_flush_timeout',
  'tx_reset',
  'header_list_size_too_large',
];

/** Who keeps the numbers. */
export interface H2Counters {
  count(counter: H2Counter): void;
  /** The gauge `streams_active` moves by `delta`. */
  streamsActive(delta: number): void;
  /** The gauge `pending_send_bytes` moves by `delta`. */
  pendingSendBytes(delta: number): void;
}

/** Keeps none. */
export const noCounters: H2Counters = {
  count: () => undefined,
  streamsActive: () => undefined,
  pendingSendBytes: () => undefined,
};
