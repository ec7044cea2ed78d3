import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { Http2Data } from '../../../../src/cluster/cluster-data.ts';
import { decodeHttp2 } from '../../../../src/cluster/protocol/http2-decode.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { Http2ProtocolOptionsSchema } from '../../../../src/proto/envoy/config/core/v3/protocol_pb.js';

function decode(json: JsonObject | null): { data: Http2Data; reasons: string[] } {
  const reasons = new Reasons('h2');
  const data = decodeHttp2(json === null ? undefined : fromJson(Http2ProtocolOptionsSchema, json), reasons);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

const usual: Http2Data = {
  hpackTableSize: 4096,
  huffman: 'kept',
  headerFieldBytesMax: 64 * 1024,
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
};

describe('HTTP/2 options', () => {
  it('have Envoy’s defaults', () => {
    expect(decode(null)).toEqual({ data: usual, reasons: [] });
    expect(decode({})).toEqual({ data: usual, reasons: [] });
  });

  it('are read, zeros too', () => {
    const { data, reasons } = decode({
      hpack_table_size: 0,
      enable_huffman_encoding: true,
      max_header_field_size_kb: 100,
      disallow_obs_text: true,
      max_concurrent_streams: 1,
      initial_stream_window_size: 65_535,
      initial_connection_window_size: 100_000,
      allow_connect: true,
      max_outbound_frames: 2,
      max_outbound_control_frames: 3,
      max_consecutive_inbound_frames_with_empty_payload: 0,
      max_inbound_priority_frames_per_stream: 0,
      max_inbound_window_update_frames_per_data_frame_sent: 4,
      stream_reset_burst: '5',
      stream_reset_rate: '6',
      override_stream_error_on_invalid_http_message: true,
      connection_keepalive: { interval: '1s', timeout: '0.5s', connection_idle_interval: '3s' },
    });
    expect(reasons).toEqual([]);
    expect(data).toEqual({
      hpackTableSize: 0,
      huffman: 'all',
      headerFieldBytesMax: 100 * 1024,
      maxConcurrentStreams: 1,
      initialStreamWindowSize: 65_535,
      initialConnectionWindowSize: 100_000,
      allowConnect: true,
      maxOutboundFrames: 2,
      maxOutboundControlFrames: 3,
      maxConsecutiveInboundFramesWithEmptyPayload: 0,
      maxInboundPriorityFramesPerStream: 0,
      maxInboundWindowUpdateFramesPerDataFrameSent: 4,
      streamResetBurst: 5,
      streamResetRate: 6,
      streamErrorOnInvalidHttpMessage: true,
      customSettings: [],
      keepAlive: { intervalMs: 1000, timeoutMs: 500, jitter: 0.15, idleIntervalMs: 3000 },
    });
  });

  it('take the older name of override_stream_error_on_invalid_http_message where the newer is not set', () => {
    const older = { stream_error_on_invalid_http_messaging: true };
    expect(decode(older).data.streamErrorOnInvalidHttpMessage).toBe(true);
    const both = { ...older, override_stream_error_on_invalid_http_message: false };
    expect(decode(both).data.streamErrorOnInvalidHttpMessage).toBe(false);
  });

  it('read jitter in percent', () => {
    const settings = { timeout: '1s', interval_jitter: { value: 50 } };
    expect(decode({ connection_keepalive: settings }).data.keepAlive).toEqual({
      intervalMs: 0,
      timeoutMs: 1000,
      jitter: 0.5,
      idleIntervalMs: 0,
    });
  });

  it('refuse allow_metadata by name', () => {
    expect(decode({ allow_metadata: true }).reasons).toEqual([
      "h2.allow_metadata: field 'allow_metadata' is not supported by sekisho",
    ]);
  });

  it('code nothing where told so', () => {
    expect(decode({ enable_huffman_encoding: false }).data.huffman).toBe('none');
  });
});

describe('custom settings', () => {
  const custom = (...pairs: [number, number][]): JsonObject => ({
    custom_settings_parameters: pairs.map(([identifier, value]) => ({ identifier, value })),
  });

  it('count as the field of their meaning, and otherwise go out as they are', () => {
    const { data, reasons } = decode(custom([1, 100], [3, 5], [4, 70_000], [2, 0], [99, 7], [99, 7]));
    expect(reasons).toEqual([]);
    expect(data).toEqual({
      ...usual,
      hpackTableSize: 100,
      maxConcurrentStreams: 5,
      initialStreamWindowSize: 70_000,
      customSettings: [
        [2, 0],
        [99, 7],
      ],
    });
  });

  it('are refused where Envoy refuses them', () => {
    expect(decode(custom([2, 1])).reasons).toEqual([
      'h2: server push is not supported by Envoy and can not be enabled via a SETTINGS parameter',
    ]);
    expect(decode(custom([8, 1])).reasons).toEqual([
      'h2: the "allow_connect" SETTINGS parameter must only be configured through the named field',
    ]);
    expect(decode({ ...custom([1, 5], [3, 6]), hpack_table_size: 5, max_concurrent_streams: 6 }).reasons).toEqual([
      'h2: the {hpack_table_size,max_concurrent_streams} HTTP/2 SETTINGS parameter(s) can not be configured through both named and custom parameters',
    ]);
    expect(decode(custom([100, 5], [100, 6])).reasons).toEqual([
      'h2: inconsistent HTTP/2 custom SETTINGS parameter(s) detected; identifiers = {0x64}',
    ]);
  });
});
