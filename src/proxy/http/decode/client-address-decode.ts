import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type { CidrData } from '../../../listener/listener-data.ts';
import type { CidrRange } from '../../../proto/envoy/config/core/v3/address_pb.js';
import type { TypedExtensionConfig } from '../../../proto/envoy/config/core/v3/extension_pb.js';
import {
  HttpConnectionManager_InternalAddressConfigSchema,
  type HttpConnectionManager,
} from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { CustomHeaderConfigSchema } from '../../../proto/envoy/extensions/http/original_ip_detection/custom_header/v3/custom_header_pb.js';
import {
  XffConfigSchema,
  XffTrustedCidrsSchema,
} from '../../../proto/envoy/extensions/http/original_ip_detection/xff/v3/xff_pb.js';
import { HttpStatusSchema } from '../../../proto/envoy/type/v3/http_status_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import type { ClientAddressData, OriginalIpDetectionData } from '../hcm-data.ts';
import { parseIp } from '../request/ip-address.ts';

const internalFields = new SupportedFields(HttpConnectionManager_InternalAddressConfigSchema, [
  'unix_sockets',
  'cidr_ranges',
]);
const xffFields = new SupportedFields(XffConfigSchema, [
  'xff_num_trusted_hops',
  'xff_trusted_cidrs',
  'skip_xff_append',
]);
const trustedFields = new SupportedFields(XffTrustedCidrsSchema, ['cidrs']);
const customHeaderFields = new SupportedFields(CustomHeaderConfigSchema, [
  'header_name',
  'allow_extension_to_set_address_as_trusted',
  'reject_with_status',
]);
const statusFields = new SupportedFields(HttpStatusSchema, ['code']);

export function decodeClientAddress(message: HttpConnectionManager, reasons: Reasons): ClientAddressData {
  const useRemoteAddress = message.useRemoteAddress ?? false;
  const extensions = message.originalIpDetectionExtensions;
  if (extensions.length > 0 && useRemoteAddress)
    reasons.at('use_remote_address').add('original IP detection extensions and use_remote_address may not be mixed');
  if (extensions.length > 0 && message.xffNumTrustedHops > 0)
    reasons
      .at('xff_num_trusted_hops')
      .add('original IP detection extensions and xff_num_trusted_hops may not be mixed');
  const internal = message.internalAddressConfig;
  const at = reasons.at('internal_address_config');
  if (internal !== undefined) internalFields.check(internal, at);
  return {
    useRemoteAddress,
    xffNumTrustedHops: message.xffNumTrustedHops,
    skipXffAppend: message.skipXffAppend,
    detection: extensions.flatMap(
      (extension, i) => decodeDetection(extension, reasons.at('original_ip_detection_extensions', i)) ?? [],
    ),
    internalCidrRanges: decodeCidrs(internal?.cidrRanges ?? [], at, 'cidr_ranges'),
    internalUnixSockets: internal?.unixSockets ?? false,
  };
}

function decodeDetection(extension: TypedExtensionConfig, reasons: Reasons): OriginalIpDetectionData | null {
  const at = reasons.at('typed_config');
  const typeUrl = extension.typedConfig?.typeUrl ?? '';
  const bytes = extension.typedConfig?.value ?? new Uint8Array(0);
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case XffConfigSchema.typeName:
      return decodeXff(bytes, at);
    case CustomHeaderConfigSchema.typeName:
      return decodeCustomHeader(bytes, at);
    default:
      at.add(`original IP detection '${extension.name}' of type '${typeUrl}' is not supported by sekisho`);
      return null;
  }
}

function decodeXff(bytes: Uint8Array, reasons: Reasons): OriginalIpDetectionData {
  const message = fromBinary(XffConfigSchema, bytes);
  xffFields.check(message, reasons);
  const trusted = message.xffTrustedCidrs;
  if (trusted !== undefined) trustedFields.check(trusted, reasons.at('xff_trusted_cidrs'));
  if (trusted !== undefined && message.xffNumTrustedHops > 0)
    reasons.add('cannot set both xff_num_trusted_hops and xff_trusted_cidrs');
  const cidrs = decodeCidrs(trusted?.cidrs ?? [], reasons.at('xff_trusted_cidrs'), 'cidrs');
  return {
    kind: 'xff',
    numTrustedHops: message.xffNumTrustedHops,
    trustedCidrs: cidrs.length === 0 ? null : cidrs,
    skipXffAppend: message.skipXffAppend ?? true,
  };
}

function decodeCustomHeader(bytes: Uint8Array, reasons: Reasons): OriginalIpDetectionData {
  const message = fromBinary(CustomHeaderConfigSchema, bytes);
  customHeaderFields.check(message, reasons);
  const status = message.rejectWithStatus;
  if (status !== undefined) statusFields.check(status, reasons.at('reject_with_status'));
  return {
    kind: 'custom-header',
    header: message.headerName.toLowerCase(),
    trusted: message.allowExtensionToSetAddressAsTrusted,
    rejectStatus: status === undefined ? 0 : rejection(status.code),
  };
}

function decodeCidrs(ranges: readonly CidrRange[], reasons: Reasons, field: string): CidrData[] {
  return ranges.map((range, i) => {
    const ip = parseIp(range.addressPrefix);
    const length = range.prefixLen ?? 0;
    const bits = (ip?.groups.length ?? 2) * 16;
    if (ip === null || length > bits)
      reasons
        .at(field, i)
        .add(`invalid ip/mask combo '${range.addressPrefix}/${length}' (format is <ip>/<# mask bits>)`);
    return { address: range.addressPrefix, length: Math.min(length, bits) };
  });
}

/** Envoy: a status that is no error becomes 403. */
function rejection(code: number): number {
  return code >= 400 ? code : 403;
}
