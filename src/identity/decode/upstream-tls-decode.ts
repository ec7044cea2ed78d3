import type { ExtensionDecoder, Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  CommonTlsContextSchema,
  UpstreamTlsContextSchema,
  type UpstreamTlsContext,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { create, fromBinary } from '../../proto/protobuf.js';
import { upstreamTlsKind, type UpstreamTlsData, type ValidationData } from '../tls-context-data.ts';
import { decodeCommonTls } from './common-tls-decode.ts';

const supported = new SupportedFields(
  UpstreamTlsContextSchema,
  ['common_tls_context', 'sni', 'auto_host_sni', 'auto_sni_san_validation', 'allow_renegotiation', 'max_session_keys'],
  // Envoy enforces it whatever this says.
  ['enforce_rsa_key_usage'],
);

/** Envoy's default of max_session_keys. */
const defaultSessionKeys = 1;

/** The TLS of a cluster's hosts. */
export const upstreamTlsDecoder: ExtensionDecoder = {
  kind: upstreamTlsKind,
  decode: (bytes, reasons, extensions) =>
    decodeUpstreamTls(fromBinary(UpstreamTlsContextSchema, bytes), reasons, extensions),
};

/** Null: reasons were added. */
export function decodeUpstreamTls(
  message: UpstreamTlsContext,
  reasons: Reasons,
  extensions: Extensions,
): UpstreamTlsData | null {
  const before = reasons.list.length;
  supported.check(message, reasons);
  const context = message.commonTlsContext ?? create(CommonTlsContextSchema);
  const at = reasons.at('common_tls_context');
  if (context.tlsCertificates.length + context.tlsCertificateSdsSecretConfigs.length > 1)
    at.add('Multiple TLS certificates are not supported for client contexts');
  const common = decodeCommonTls(context, 'TLSv1_2', at, extensions);
  if (message.sni.includes('\0')) reasons.at('sni').add('SNI names containing NULL-byte are not allowed');
  if (message.autoSniSanValidation) checkRoots(common.validation, reasons.at('auto_sni_san_validation'));
  if (reasons.list.length > before) return null;
  return {
    ...common,
    sni: message.sni,
    autoHostSni: message.autoHostSni,
    autoSniSanValidation: message.autoSniSanValidation,
    allowRenegotiation: message.allowRenegotiation,
    maxSessionKeys: message.maxSessionKeys ?? defaultSessionKeys,
    enforceRsaKeyUsage: true,
  };
}

function checkRoots(validation: ValidationData | null, reasons: Reasons): void {
  if (validation === null) {
    reasons.add("'auto_sni_san_validation' was configured without a validation context");
    return;
  }
  const { base, secret } = validation;
  const comes = secret !== null && secret.inline === null;
  const known = [base, secret?.inline ?? null];
  if (!comes && known.every((part) => part === null || part.trustedCaPem === ''))
    reasons.add("'auto_sni_san_validation' was configured without configuring a trusted CA");
}
