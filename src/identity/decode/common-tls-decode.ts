import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { CidrRange } from '../../proto/envoy/config/core/v3/address_pb.js';
import {
  CommonTlsContext_CombinedCertificateValidationContextSchema,
  CommonTlsContextSchema,
  TlsKeyLogSchema,
  type CommonTlsContext,
  type CommonTlsContext_CombinedCertificateValidationContext as CombinedContext,
  type TlsKeyLog,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { CertificateSecret, SecretRef, ValidationSecret } from '../secret-data.ts';
import type { CommonTlsData, KeyLogData, TlsVersion, ValidationData } from '../tls-context-data.ts';
import { problemWithoutRoots } from '../trust.ts';
import { decodeCertificate, isEmptyCertificate } from './certificate-decode.ts';
import { SourceReader } from './data-source-decode.ts';
import { decodeInlineSecret, decodeSdsSecret } from './sds-decode.ts';
import { decodeTlsParameters } from './tls-parameters-decode.ts';
import { decodeValidation } from './validation-decode.ts';

const supported = new SupportedFields(CommonTlsContextSchema, [
  'tls_params',
  'tls_certificates',
  'tls_certificate_sds_secret_configs',
  'validation_context',
  'validation_context_sds_secret_config',
  'combined_validation_context',
  'alpn_protocols',
  'key_log',
]);
const combinedFields = new SupportedFields(CommonTlsContext_CombinedCertificateValidationContextSchema, [
  'default_validation_context',
  'validation_context_sds_secret_config',
]);
const keyLogFields = new SupportedFields(TlsKeyLogSchema, ['path', 'local_address_range', 'remote_address_range']);

/** RFC 7301: a byte has the length of a name, two that of the list. */
const alpnNameMax = 255;
const alpnListMax = 65_535;

/** @param defaultMax Envoy's: TLS 1.3 for servers, 1.2 for clients */
export function decodeCommonTls(
  message: CommonTlsContext,
  defaultMax: TlsVersion,
  reasons: Reasons,
  extensions: Extensions,
): CommonTlsData {
  supported.check(message, reasons);
  return {
    ...decodeTlsParameters(message.tlsParams, defaultMax, reasons.at('tls_params')),
    alpn: decodeAlpn(message.alpnProtocols, reasons.at('alpn_protocols')),
    certificates: decodeCertificates(message, reasons, extensions),
    validation: decodeValidationType(message.validationContextType, reasons, extensions),
    keyLog: message.keyLog === undefined ? null : decodeKeyLog(message.keyLog, reasons.at('key_log')),
  };
}

function decodeCertificates(
  message: CommonTlsContext,
  reasons: Reasons,
  extensions: Extensions,
): SecretRef<CertificateSecret>[] {
  const refs: SecretRef<CertificateSecret>[] = [];
  for (const [i, certificate] of message.tlsCertificates.entries()) {
    if (isEmptyCertificate(certificate)) continue;
    const at = reasons.at('tls_certificates', i);
    refs.push(
      decodeInlineSecret({ case: 'tlsCertificate', value: certificate }, reasons, extensions, (reader) =>
        decodeCertificate(certificate, at, reader),
      ),
    );
  }
  for (const [i, config] of message.tlsCertificateSdsSecretConfigs.entries()) {
    const at = reasons.at('tls_certificate_sds_secret_configs', i);
    const ref = decodeSdsSecret(config, 'certificate', at, extensions);
    if (ref !== null) refs.push(ref);
  }
  return refs;
}

function decodeValidationType(
  { case: type, value }: CommonTlsContext['validationContextType'],
  reasons: Reasons,
  extensions: Extensions,
): ValidationData | null {
  switch (type) {
    case 'validationContext': {
      const at = reasons.at('validation_context');
      const ref = decodeInlineSecret({ case: 'validationContext', value }, reasons, extensions, (reader) =>
        decodeValidation(value, at, reader, false),
      );
      return ref.inline === null ? { base: null, secret: ref } : { base: ref.inline, secret: null };
    }
    case 'validationContextSdsSecretConfig': {
      const at = reasons.at('validation_context_sds_secret_config');
      const secret = decodeSdsSecret(value, 'validation', at, extensions);
      return { base: null, secret };
    }
    case 'combinedValidationContext':
      return decodeCombined(value, reasons.at('combined_validation_context'), extensions);
    default:
      return null;
  }
}

function decodeCombined(message: CombinedContext, reasons: Reasons, extensions: Extensions): ValidationData {
  combinedFields.check(message, reasons);
  const at = reasons.at('default_validation_context');
  const reader = new SourceReader();
  const part = message.defaultValidationContext;
  const base = part === undefined ? null : decodeValidation(part, at, reader, true);
  if (reader.directories.size > 0) at.unsupported('watched_directory', 'is not supported by sekisho in a default');
  const config = message.validationContextSdsSecretConfig;
  const secretAt = reasons.at('validation_context_sds_secret_config');
  const secret = config === undefined ? null : decodeSdsSecret(config, 'validation', secretAt, extensions);
  const problem = base === null || !secret?.inline ? '' : mergedProblem(base, secret.inline);
  if (problem !== '') reasons.add(problem);
  return { base, secret };
}

/** Of a default and a secret that is there already. */
function mergedProblem(base: ValidationSecret, secret: ValidationSecret): string {
  return problemWithoutRoots({
    ...base,
    trustedCaPem: secret.trustedCaPem + base.trustedCaPem,
    crlPem: secret.crlPem + base.crlPem,
    crlOrigin: secret.crlOrigin === '' ? base.crlOrigin : secret.crlOrigin,
    sanMatchers: [...base.sanMatchers, ...secret.sanMatchers],
    allowExpired: base.allowExpired || secret.allowExpired,
    spiffeTrustDomains: secret.spiffeTrustDomains ?? base.spiffeTrustDomains,
  });
}

/** Envoy joins the entries with commas and parts them again, so that one entry may name several. */
function decodeAlpn(configured: readonly string[], reasons: Reasons): string[] {
  const names = configured.flatMap((entry) => entry.split(',')).filter((name) => name !== '');
  const lengths = names.map((name) => Buffer.byteLength(name));
  const whole = lengths.reduce((sum, length) => sum + length + 1, 0);
  if (lengths.some((length) => length > alpnNameMax) || whole >= alpnListMax)
    reasons.add(`Invalid ALPN protocol string: at most ${alpnNameMax} bytes each, and ${alpnListMax} together`);
  return names;
}

function decodeKeyLog(message: TlsKeyLog, reasons: Reasons): KeyLogData {
  keyLogFields.check(message, reasons);
  try {
    accessSync(dirname(message.path), constants.W_OK);
  } catch {
    reasons.at('path').add(`unable to open file '${message.path}': its folder is not there, or not writable`);
  }
  return {
    path: message.path,
    localRanges: decodeRanges(message.localAddressRange, 'local_address_range', reasons),
    remoteRanges: decodeRanges(message.remoteAddressRange, 'remote_address_range', reasons),
  };
}

function decodeRanges(ranges: readonly CidrRange[], field: string, reasons: Reasons): KeyLogData['localRanges'] {
  return ranges.map(({ addressPrefix, prefixLen = 0 }, i) => {
    const family = isIP(addressPrefix);
    if (family === 0)
      reasons.at(field, i).add(`invalid ip/mask combo '${addressPrefix}/${prefixLen}' (format is <ip>/<# mask bits>)`);
    return { address: addressPrefix, length: Math.min(prefixLen, family === 6 ? 128 : 32) };
  });
}
