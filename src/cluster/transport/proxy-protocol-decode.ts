import type { ExtensionDecoder, Extensions } from '../../core/extension.ts';
import type { ProxyTlv } from '../../core/peer.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  ProxyProtocolConfig_Version,
  ProxyProtocolConfigSchema,
  ProxyProtocolPassThroughTLVs_PassTLVsMatchType,
  ProxyProtocolPassThroughTLVsSchema,
  TlvEntrySchema,
  type ProxyProtocolPassThroughTLVs,
  type TlvEntry,
} from '../../proto/envoy/config/core/v3/proxy_protocol_pb.js';
import { ProxyProtocolUpstreamTransportSchema } from '../../proto/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeTransportSocket } from './decode.ts';
import type { ProxyProtocolSocketData } from './transport-data.ts';

const supported = new SupportedFields(ProxyProtocolUpstreamTransportSchema, [
  'config',
  'transport_socket',
  // Ends without an address are told as version 2 has it, whether that is asked for or not.
  'allow_unspecified_address',
  'tlv_as_pool_key',
]);
const supportedConfig = new SupportedFields(ProxyProtocolConfigSchema, ['version', 'pass_through_tlvs', 'added_tlvs']);
const supportedPassing = new SupportedFields(ProxyProtocolPassThroughTLVsSchema, ['match_type', 'tlv_type']);
const supportedTlv = new SupportedFields(TlvEntrySchema, ['type', 'value']);

/** `envoy.transport_sockets.upstream`: a PROXY protocol header in front of what another transport socket says. */
export const proxyProtocolTransportDecoder: ExtensionDecoder = {
  kind: ProxyProtocolUpstreamTransportSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons, extensions: Extensions): ProxyProtocolSocketData {
    const message = fromBinary(ProxyProtocolUpstreamTransportSchema, bytes);
    supported.check(message, reasons);
    const { config } = message;
    const at = reasons.at('config');
    if (config !== undefined) supportedConfig.check(config, at);
    return {
      kind: 'proxy-protocol',
      inner: decodeTransportSocket(message.transportSocket, reasons.at('transport_socket'), extensions),
      version: config?.version === ProxyProtocolConfig_Version.V2 ? 2 : 1,
      passedTlvs: decodePassing(config?.passThroughTlvs, at.at('pass_through_tlvs')),
      addedTlvs: decodeTlvs(config?.addedTlvs ?? [], at),
      isTlvInKey: message.tlvAsPoolKey,
    };
  },
};

function decodePassing(
  passing: ProxyProtocolPassThroughTLVs | undefined,
  reasons: Reasons,
): ProxyProtocolSocketData['passedTlvs'] {
  if (passing === undefined) return [];
  supportedPassing.check(passing, reasons);
  return passing.matchType === ProxyProtocolPassThroughTLVs_PassTLVsMatchType.INCLUDE_ALL ? 'all' : passing.tlvType;
}

function decodeTlvs(entries: readonly TlvEntry[], reasons: Reasons): ProxyTlv[] {
  const tlvs: ProxyTlv[] = [];
  for (const [i, entry] of entries.entries()) {
    const at = reasons.at('added_tlvs', i);
    supportedTlv.check(entry, at);
    if (entry.formatString === undefined && entry.value.length === 0)
      at.add("Invalid TLV configuration: one of 'value' or 'format_string' must be set.");
    tlvs.push({ type: entry.type, value: entry.value });
  }
  return tlvs;
}
