import { defaultClientOptions, type KeepAliveOptions } from '../../codec/h2/options.ts';
import { Setting } from '../../codec/h2/frame/settings.ts';
import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  Http2ProtocolOptions_SettingsParameterSchema,
  Http2ProtocolOptionsSchema,
  KeepaliveSettingsSchema,
  type Http2ProtocolOptions,
  type KeepaliveSettings,
} from '../../proto/envoy/config/core/v3/protocol_pb.js';
import type { Http2Data } from '../cluster-data.ts';

/** Envoy's default, percent. */
const defaultJitter = 15;

// Envoy's choice of a codec, in which disallow_obs_text does nothing; and the size of METADATA frames, which
// allow_metadata, refused here, would let in.
const supported = new SupportedFields(
  Http2ProtocolOptionsSchema,
  [
    'hpack_table_size',
    'max_concurrent_streams',
    'initial_stream_window_size',
    'initial_connection_window_size',
    'allow_connect',
    'max_outbound_frames',
    'max_outbound_control_frames',
    'max_consecutive_inbound_frames_with_empty_payload',
    'max_inbound_priority_frames_per_stream',
    'max_inbound_window_update_frames_per_data_frame_sent',
    'stream_error_on_invalid_http_messaging',
    'override_stream_error_on_invalid_http_message',
    'custom_settings_parameters',
    'connection_keepalive',
    'stream_reset_burst',
    'stream_reset_rate',
    'enable_huffman_encoding',
    'max_header_field_size_kb',
  ],
  ['use_oghttp2_codec', 'max_metadata_size', 'disallow_obs_text'],
);
const supportedSetting = new SupportedFields(Http2ProtocolOptions_SettingsParameterSchema, ['identifier', 'value']);
const supportedKeepAlive = new SupportedFields(KeepaliveSettingsSchema, [
  'interval',
  'timeout',
  'interval_jitter',
  'connection_idle_interval',
]);

/** Of either end of a connection; absent: Envoy's defaults. */
export function decodeHttp2(options: Http2ProtocolOptions | undefined, reasons: Reasons): Http2Data {
  if (options === undefined) return defaultHttp2;
  supported.check(options, reasons);
  const usual = defaultHttp2;
  const custom = decodeSettings(options, reasons);
  // A custom parameter counts as the field of its meaning, which is not set then.
  const setting = (id: number, named: number | undefined, otherwise: number): number => {
    const value = custom.get(id);
    custom.delete(id);
    return value ?? named ?? otherwise;
  };
  return {
    hpackTableSize: setting(Setting.HeaderTableSize, options.hpackTableSize, usual.hpackTableSize),
    huffman:
      options.enableHuffmanEncoding === undefined ? usual.huffman : options.enableHuffmanEncoding ? 'all' : 'none',
    headerFieldBytesMax:
      options.maxHeaderFieldSizeKb === undefined ? usual.headerFieldBytesMax : options.maxHeaderFieldSizeKb * 1024,
    maxConcurrentStreams: setting(
      Setting.MaxConcurrentStreams,
      options.maxConcurrentStreams,
      usual.maxConcurrentStreams,
    ),
    initialStreamWindowSize: setting(
      Setting.InitialWindowSize,
      options.initialStreamWindowSize,
      usual.initialStreamWindowSize,
    ),
    initialConnectionWindowSize: options.initialConnectionWindowSize ?? usual.initialConnectionWindowSize,
    allowConnect: options.allowConnect,
    maxOutboundFrames: options.maxOutboundFrames ?? usual.maxOutboundFrames,
    maxOutboundControlFrames: options.maxOutboundControlFrames ?? usual.maxOutboundControlFrames,
    maxConsecutiveInboundFramesWithEmptyPayload:
      options.maxConsecutiveInboundFramesWithEmptyPayload ?? usual.maxConsecutiveInboundFramesWithEmptyPayload,
    maxInboundPriorityFramesPerStream:
      options.maxInboundPriorityFramesPerStream ?? usual.maxInboundPriorityFramesPerStream,
    maxInboundWindowUpdateFramesPerDataFrameSent:
      options.maxInboundWindowUpdateFramesPerDataFrameSent ?? usual.maxInboundWindowUpdateFramesPerDataFrameSent,
    streamResetBurst: Number(options.streamResetBurst ?? usual.streamResetBurst),
    streamResetRate: Number(options.streamResetRate ?? usual.streamResetRate),
    streamErrorOnInvalidHttpMessage:
      options.overrideStreamErrorOnInvalidHttpMessage ?? options.streamErrorOnInvalidHttpMessaging,
    customSettings: [...custom],
    keepAlive: decodeKeepAlive(options.connectionKeepalive, reasons.at('connection_keepalive')),
  };
}

const { counters: _counters, headersBytesMax: _bytes, headersCountMax: _count, ...defaultHttp2 } = defaultClientOptions;

/** The rules are Envoy's, in its words. */
function decodeSettings(options: Http2ProtocolOptions, reasons: Reasons): Map<number, number> {
  const settings = new Map<number, number>();
  const named: string[] = [];
  const inconsistent: string[] = [];
  for (const [i, parameter] of options.customSettingsParameters.entries()) {
    supportedSetting.check(parameter, reasons.at('custom_settings_parameters', i));
    const id = parameter.identifier ?? 0;
    const value = parameter.value ?? 0;
    const before = settings.get(id);
    if (before !== undefined) {
      if (before !== value) inconsistent.push(`0x${id.toString(16)}`);
      continue;
    }
    if (id === Setting.EnablePush && value === 1)
      reasons.add('server push is not supported by Envoy and can not be enabled via a SETTINGS parameter');
    if (id === Setting.EnableConnectProtocol)
      reasons.add('the "allow_connect" SETTINGS parameter must only be configured through the named field');
    const name = nameIfSet(options, id);
    if (name !== '') named.push(name);
    settings.set(id, value);
  }
  if (named.length > 0)
    reasons.add(
      `the {${named.join(',')}} HTTP/2 SETTINGS parameter(s) can not be configured through both named and custom parameters`,
    );
  if (inconsistent.length > 0)
    reasons.add(`inconsistent HTTP/2 custom SETTINGS parameter(s) detected; identifiers = {${inconsistent.join(',')}}`);
  return settings;
}

/** The field that sets what setting `id` sets too; empty: it is not set. */
function nameIfSet(options: Http2ProtocolOptions, id: number): string {
  switch (id) {
    case Setting.HeaderTableSize:
      return options.hpackTableSize === undefined ? '' : 'hpack_table_size';
    case Setting.MaxConcurrentStreams:
      return options.maxConcurrentStreams === undefined ? '' : 'max_concurrent_streams';
    case Setting.InitialWindowSize:
      return options.initialStreamWindowSize === undefined ? '' : 'initial_stream_window_size';
    default:
      return '';
  }
}

function decodeKeepAlive(settings: KeepaliveSettings | undefined, reasons: Reasons): KeepAliveOptions | null {
  if (settings === undefined) return null;
  supportedKeepAlive.check(settings, reasons);
  return {
    intervalMs: durationMs(settings.interval, 0),
    timeoutMs: durationMs(settings.timeout, 0),
    jitter: (settings.intervalJitter?.value ?? defaultJitter) / 100,
    idleIntervalMs: durationMs(settings.connectionIdleInterval, 0),
  };
}
