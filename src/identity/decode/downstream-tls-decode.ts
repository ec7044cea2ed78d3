import { durationMs } from '../../core/duration.ts';
import type { ExtensionDecoder, Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  DownstreamTlsContext_OcspStaplePolicy as StaplePolicy,
  DownstreamTlsContextSchema,
  type CommonTlsContext,
  type DownstreamTlsContext,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { serverNameProblem } from '../own-certificate.ts';
import { certificatesOfPem } from '../pem.ts';
import type { CertificateSecret, SecretRef, TicketKeysSecret } from '../secret-data.ts';
import { downstreamTlsKind, type DownstreamTlsData } from '../tls-context-data.ts';
import { clientCertificateDemand } from '../trust.ts';
import { decodeCommonTls } from './common-tls-decode.ts';
import { decodeInlineSecret, decodeSdsSecret } from './sds-decode.ts';
import { decodeTicketKeys } from './secret-decode.ts';

const supported = new SupportedFields(
  DownstreamTlsContextSchema,
  [
    'common_tls_context',
    'require_client_certificate',
    'session_ticket_keys',
    'session_ticket_keys_sds_secret_config',
    'disable_stateless_session_resumption',
    'disable_stateful_session_resumption',
    'session_timeout',
    'ocsp_staple_policy',
    'full_scan_certs_on_sni_mismatch',
    'prefer_client_ciphers',
  ],
  // Envoy takes it and asks nobody for a name.
  ['require_sni'],
);

const staplePolicies: Readonly<Record<number, DownstreamTlsData['ocspStaplePolicy']>> = {
  [StaplePolicy.LENIENT_STAPLING]: 'LENIENT_STAPLING',
  [StaplePolicy.STRICT_STAPLING]: 'STRICT_STAPLING',
  [StaplePolicy.MUST_STAPLE]: 'MUST_STAPLE',
};

/** The TLS of a filter chain. */
export const downstreamTlsDecoder: ExtensionDecoder = {
  kind: downstreamTlsKind,
  decode: (bytes, reasons, extensions) =>
    decodeDownstreamTls(fromBinary(DownstreamTlsContextSchema, bytes), reasons, extensions),
};

/** Null: reasons were added. */
export function decodeDownstreamTls(
  message: DownstreamTlsContext,
  reasons: Reasons,
  extensions: Extensions,
): DownstreamTlsData | null {
  const before = reasons.list.length;
  supported.check(message, reasons);
  const context = message.commonTlsContext;
  const at = reasons.at('common_tls_context');
  if (context === undefined) {
    reasons.add('No TLS certificates found for server context');
    return null;
  }
  const common = decodeCommonTls(context, 'TLSv1_3', at, extensions);
  checkNumber(context, common.certificates.length, at);
  const resumption = message.sessionTicketKeysType;
  const data: DownstreamTlsData = {
    ...common,
    requireClientCertificate: message.requireClientCertificate ?? false,
    ticketKeys: decodeTicketKeysType(message, reasons, extensions),
    statelessResumption: resumption.case !== 'disableStatelessSessionResumption' || !resumption.value,
    statefulResumption: !message.disableStatefulSessionResumption,
    sessionTimeoutSeconds: Math.floor(durationMs(message.sessionTimeout, 0) / 1000),
    ocspStaplePolicy: staplePolicies[message.ocspStaplePolicy] ?? 'LENIENT_STAPLING',
    fullScanCertsOnSniMismatch: message.fullScanCertsOnSniMismatch ?? false,
    preferClientCiphers: message.preferClientCiphers,
  };
  if (reasons.list.length === before) checkTogether(data, reasons);
  return reasons.list.length > before ? null : data;
}

function checkNumber(context: CommonTlsContext, found: number, reasons: Reasons): void {
  const written = context.tlsCertificates.length;
  const named = context.tlsCertificateSdsSecretConfigs.length;
  if (written + named === 0) reasons.add('No TLS certificates found for server context');
  else if (written > 0 && named > 0)
    reasons.add('SDS and non-SDS TLS certificates may not be mixed in server contexts');
  else if (found === 0 && named === 0) reasons.add('Server TlsCertificates must have a certificate specified');
}

function decodeTicketKeysType(
  { sessionTicketKeysType: { case: type, value } }: DownstreamTlsContext,
  reasons: Reasons,
  extensions: Extensions,
): SecretRef<TicketKeysSecret> | null {
  if (type === 'sessionTicketKeysSdsSecretConfig') {
    const at = reasons.at('session_ticket_keys_sds_secret_config');
    return decodeSdsSecret(value, 'ticket-keys', at, extensions);
  }
  if (type !== 'sessionTicketKeys') return null;
  const at = reasons.at('session_ticket_keys');
  return decodeInlineSecret({ case: 'sessionTicketKeys', value }, reasons, extensions, (reader) =>
    decodeTicketKeys(value, at, reader),
  );
}

/** What each part allows and all together do not. What comes by SDS is looked at when it comes. */
function checkTogether(data: DownstreamTlsData, reasons: Reasons): void {
  const at = reasons.at('common_tls_context');
  for (const { inline } of data.certificates) {
    const problem = inline === null ? '' : serverProblem(inline, data);
    if (problem !== '') at.add(problem);
  }
  if (!data.requireClientCertificate) return;
  const { validation } = data;
  const isOpen = validation !== null && validation.secret !== null && validation.secret.inline === null;
  const secret = validation?.secret?.inline ?? validation?.base ?? null;
  if (!isOpen && clientCertificateDemand(secret, true) === 'none')
    reasons
      .at('require_client_certificate')
      .add(
        'there is no trusted_ca and nothing else to verify certificates by, so that no client would be asked for one; set validation_context',
      );
}

function serverProblem(secret: CertificateSecret, { ocspStaplePolicy }: DownstreamTlsData): string {
  const [leaf] = certificatesOfPem(secret.chainPem);
  const nameless = leaf === undefined ? '' : serverNameProblem(leaf);
  if (nameless !== '' || secret.ocspStaple !== null) return nameless;
  if (leaf?.isMustStaple === true) return 'OCSP response is required for must-staple certificate';
  return ocspStaplePolicy === 'MUST_STAPLE' ? 'Required OCSP response is missing from TLS context' : '';
}
