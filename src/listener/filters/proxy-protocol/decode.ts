import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  ProxyProtocolConfig_Version,
  ProxyProtocolPassThroughTLVs_PassTLVsMatchType,
  ProxyProtocolPassThroughTLVsSchema,
  type ProxyProtocolPassThroughTLVs,
} from '../../../proto/envoy/config/core/v3/proxy_protocol_pb.js';
import {
  ProxyProtocol_KeyValuePair_ValueStringEncoding,
  ProxyProtocol_KeyValuePairSchema,
  ProxyProtocol_RuleSchema,
  ProxyProtocol_TlvLocation,
  ProxyProtocolSchema,
  type ProxyProtocol_Rule,
} from '../../../proto/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { ProxyProtocolData, TlvRuleData } from './proxy-protocol.ts';

const supported = new SupportedFields(ProxyProtocolSchema, [
  'rules',
  'allow_requests_without_proxy_protocol',
  'pass_through_tlvs',
  'disallowed_versions',
  'stat_prefix',
  'tlv_location',
]);
const supportedRule = new SupportedFields(ProxyProtocol_RuleSchema, ['tlv_type', 'on_tlv_present']);
const supportedPair = new SupportedFields(ProxyProtocol_KeyValuePairSchema, [
  'metadata_namespace',
  'key',
  'value_string_encoding',
]);
const supportedPassThrough = new SupportedFields(ProxyProtocolPassThroughTLVsSchema, ['match_type', 'tlv_type']);

/** Where a rule names no namespace. */
const ownNamespace = 'envoy.filters.listener.proxy_protocol';

export const proxyProtocolDecoder: ExtensionDecoder = {
  kind: ProxyProtocolSchema.typeName,
  decode(bytes, reasons): ProxyProtocolData {
    const message = fromBinary(ProxyProtocolSchema, bytes);
    supported.check(message, reasons);
    if (message.tlvLocation === ProxyProtocol_TlvLocation.FILTER_STATE)
      reasons.unsupported('tlv_location', 'is FILTER_STATE: only DYNAMIC_METADATA is supported by sekisho');
    const allowsVersion1 = !message.disallowedVersions.includes(ProxyProtocolConfig_Version.V1);
    const allowsVersion2 = !message.disallowedVersions.includes(ProxyProtocolConfig_Version.V2);
    if (!allowsVersion1 && !allowsVersion2)
      reasons.add('Proxy Protocol filter is misconfigured: all proxy protocol versions are disallowed.');
    return {
      allowsNone: message.allowRequestsWithoutProxyProtocol,
      allowsVersion1,
      allowsVersion2,
      rules: message.rules.map((rule, i) => decodeRule(rule, reasons.at('rules', i))),
      passThrough: decodePassThrough(message.passThroughTlvs, reasons.at('pass_through_tlvs')),
      statPrefix: message.statPrefix,
    };
  },
};

function decodeRule(rule: ProxyProtocol_Rule, reasons: Reasons): TlvRuleData {
  supportedRule.check(rule, reasons);
  const pair = rule.onTlvPresent;
  if (pair !== undefined) supportedPair.check(pair, reasons.at('on_tlv_present'));
  const isBase64 = pair?.valueStringEncoding === ProxyProtocol_KeyValuePair_ValueStringEncoding.BASE64;
  return {
    type: rule.tlvType & 255,
    namespace: pair === undefined || pair.metadataNamespace === '' ? ownNamespace : pair.metadataNamespace,
    key: pair?.key ?? '',
    encoding: isBase64 ? 'BASE64' : 'SANITIZED_UTF8',
  };
}

function decodePassThrough(
  message: ProxyProtocolPassThroughTLVs | undefined,
  reasons: Reasons,
): ProxyProtocolData['passThrough'] {
  if (message === undefined) return [];
  supportedPassThrough.check(message, reasons);
  if (message.matchType === ProxyProtocolPassThroughTLVs_PassTLVsMatchType.INCLUDE_ALL) return 'ALL';
  return message.tlvType.map((type) => type & 255);
}
