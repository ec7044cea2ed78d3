import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  HttpProtocolOptions_ExplicitHttpConfigSchema,
  HttpProtocolOptionsSchema,
} from '../../proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { TcpProtocolOptionsSchema } from '../../proto/envoy/extensions/upstreams/tcp/v3/tcp_protocol_options_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { UpstreamHttpData } from '../cluster-data.ts';
import { decodeUpstreamHttp } from './decode.ts';

const supportedHttp = new SupportedFields(HttpProtocolOptionsSchema, [
  'common_http_protocol_options',
  'explicit_http_config',
]);
const supportedExplicit = new SupportedFields(HttpProtocolOptions_ExplicitHttpConfigSchema, ['http_protocol_options']);
// How long an unused pooled connection is kept: here none is opened but for somebody who waits for it.
const supportedTcp = new SupportedFields(TcpProtocolOptionsSchema, [], ['idle_timeout']);

/** `envoy.upstream_options`: makes an UpstreamHttpData. */
export const httpProtocolOptionsDecoder: ExtensionDecoder = {
  kind: HttpProtocolOptionsSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): UpstreamHttpData {
    const options = fromBinary(HttpProtocolOptionsSchema, bytes);
    supportedHttp.check(options, reasons);
    const choice = options.upstreamProtocolOptions;
    const explicit = choice.case === 'explicitHttpConfig' ? choice.value : undefined;
    const at = reasons.at('explicit_http_config');
    if (explicit !== undefined) supportedExplicit.check(explicit, at);
    const config = explicit?.protocolConfig;
    return decodeUpstreamHttp(
      options.commonHttpProtocolOptions,
      config?.case === 'httpProtocolOptions' ? config.value : undefined,
      reasons.at('common_http_protocol_options'),
      at.at('http_protocol_options'),
    );
  },
};

/** `envoy.upstream_options`: makes nothing. */
export const tcpProtocolOptionsDecoder: ExtensionDecoder = {
  kind: TcpProtocolOptionsSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): null {
    supportedTcp.check(fromBinary(TcpProtocolOptionsSchema, bytes), reasons);
    return null;
  },
};
