import { durationMs } from '../../core/duration.ts';
import type { ExtensionDecoder, Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  HttpProtocolOptions_AutoHttpConfigSchema,
  HttpProtocolOptions_ExplicitHttpConfigSchema,
  HttpProtocolOptions_UseDownstreamHttpConfigSchema,
  HttpProtocolOptionsSchema,
  type HttpProtocolOptions,
} from '../../proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { TcpProtocolOptionsSchema } from '../../proto/envoy/extensions/upstreams/tcp/v3/tcp_protocol_options_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { UpstreamHttpData } from '../cluster-data.ts';
import { decodeUpstreamHttp } from './decode.ts';
import { decodeStreamFilters } from './stream-filters-decode.ts';

const supportedHttp = new SupportedFields(HttpProtocolOptionsSchema, [
  'common_http_protocol_options',
  'upstream_http_protocol_options',
  'explicit_http_config',
  'use_downstream_protocol_config',
  'auto_config',
  'http_filters',
]);
const supportedExplicit = new SupportedFields(HttpProtocolOptions_ExplicitHttpConfigSchema, [
  'http_protocol_options',
  'http2_protocol_options',
]);
const supportedDownstream = new SupportedFields(HttpProtocolOptions_UseDownstreamHttpConfigSchema, [
  'http_protocol_options',
  'http2_protocol_options',
]);
const supportedAuto = new SupportedFields(HttpProtocolOptions_AutoHttpConfigSchema, [
  'http_protocol_options',
  'http2_protocol_options',
]);
const supportedTcp = new SupportedFields(TcpProtocolOptionsSchema, ['idle_timeout']);

/** `envoy.upstream_options`: makes an UpstreamHttpData. */
export const httpProtocolOptionsDecoder: ExtensionDecoder = {
  kind: HttpProtocolOptionsSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons, extensions: Extensions): UpstreamHttpData {
    const options = fromBinary(HttpProtocolOptionsSchema, bytes);
    supportedHttp.check(options, reasons);
    const filters = decodeStreamFilters(options.httpFilters, reasons, 'http_filters', 'upstream http', extensions);
    const data = decodeChosen(options, reasons);
    return filters === null ? data : { ...data, filters };
  },
};

/** By the protocol that is to be spoken. */
function decodeChosen(options: HttpProtocolOptions, reasons: Reasons): UpstreamHttpData {
  const common = options.commonHttpProtocolOptions;
  const names = options.upstreamHttpProtocolOptions;
  const choice = options.upstreamProtocolOptions;
  if (choice.case === 'useDownstreamProtocolConfig') {
    const at = reasons.at('use_downstream_protocol_config');
    supportedDownstream.check(choice.value, at);
    const { httpProtocolOptions: http1, http2ProtocolOptions: http2 } = choice.value;
    return decodeUpstreamHttp({ protocol: 'downstream', common, http1, http2, names }, reasons, at);
  }
  if (choice.case === 'autoConfig') {
    const at = reasons.at('auto_config');
    supportedAuto.check(choice.value, at);
    const { httpProtocolOptions: http1, http2ProtocolOptions: http2 } = choice.value;
    return decodeUpstreamHttp({ protocol: 'auto', common, http1, http2, names }, reasons, at);
  }
  const at = reasons.at('explicit_http_config');
  const explicit = choice.case === 'explicitHttpConfig' ? choice.value : undefined;
  if (explicit !== undefined) supportedExplicit.check(explicit, at);
  const config = explicit?.protocolConfig;
  const http1 = config?.case === 'httpProtocolOptions' ? config.value : undefined;
  const http2 = config?.case === 'http2ProtocolOptions' ? config.value : undefined;
  const protocol = http2 === undefined ? 'http1' : 'http2';
  return decodeUpstreamHttp({ protocol, common, http1, http2, names }, reasons, at);
}

/** `envoy.upstream_options`: makes how many milliseconds an unused connection is kept; null: as many as without it. */
export const tcpProtocolOptionsDecoder: ExtensionDecoder = {
  kind: TcpProtocolOptionsSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): number | null {
    const options = fromBinary(TcpProtocolOptionsSchema, bytes);
    supportedTcp.check(options, reasons);
    return options.idleTimeout === undefined ? null : durationMs(options.idleTimeout, 0);
  },
};
