import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  TlsParameters_CompliancePolicy,
  TlsParameters_TlsProtocol as TlsProtocol,
  TlsParametersSchema,
  type TlsParameters,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  canonicalSignatureAlgorithm,
  curveNames,
  readCipherSuites,
  signatureAlgorithmNames,
} from '../cipher-suites.ts';
import type { CommonTlsData, TlsVersion } from '../tls-context-data.ts';

const supported = new SupportedFields(TlsParametersSchema, [
  'tls_minimum_protocol_version',
  'tls_maximum_protocol_version',
  'cipher_suites',
  'ecdh_curves',
  'signature_algorithms',
  'compliance_policies',
]);

const versions: Readonly<Record<number, TlsVersion>> = {
  [TlsProtocol.TLSv1_0]: 'TLSv1_0',
  [TlsProtocol.TLSv1_1]: 'TLSv1_1',
  [TlsProtocol.TLSv1_2]: 'TLSv1_2',
  [TlsProtocol.TLSv1_3]: 'TLSv1_3',
};

export type TlsParametersData = Pick<
  CommonTlsData,
  'minVersion' | 'maxVersion' | 'cipherSuites' | 'curves' | 'signatureAlgorithms' | 'isFips'
>;

/** FIPS_202205, as BoringSSL has it (NIST SP 800-52 revision 2): it takes the place of whatever else is said. */
const fips: TlsParametersData = {
  minVersion: 'TLSv1_2',
  maxVersion: 'TLSv1_3',
  cipherSuites: [
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ],
  curves: ['P-256', 'P-384'],
  signatureAlgorithms: [
    'rsa_pkcs1_sha256',
    'rsa_pkcs1_sha384',
    'rsa_pkcs1_sha512',
    'ecdsa_secp256r1_sha256',
    'ecdsa_secp384r1_sha384',
    'rsa_pss_rsae_sha256',
    'rsa_pss_rsae_sha384',
    'rsa_pss_rsae_sha512',
  ],
  isFips: true,
};

/** @param defaultMax Envoy's: TLS 1.3 for servers, 1.2 for clients */
export function decodeTlsParameters(
  message: TlsParameters | undefined,
  defaultMax: TlsVersion,
  reasons: Reasons,
): TlsParametersData {
  if (message === undefined)
    return { minVersion: 'TLSv1_2', maxVersion: defaultMax, cipherSuites: [], curves: [], signatureAlgorithms: [] };
  supported.check(message, reasons);
  if (message.compliancePolicies.includes(TlsParameters_CompliancePolicy.FIPS_202205)) return fips;
  const ciphers = readCipherSuites(message.cipherSuites);
  if (ciphers.problem !== '') reasons.at('cipher_suites').add(ciphers.problem);
  return {
    minVersion: versions[message.tlsMinimumProtocolVersion] ?? 'TLSv1_2',
    maxVersion: versions[message.tlsMaximumProtocolVersion] ?? defaultMax,
    cipherSuites: ciphers.names,
    curves: decodeNames(message.ecdhCurves, curveNames, 'ECDH curves', reasons.at('ecdh_curves')),
    signatureAlgorithms: decodeNames(
      message.signatureAlgorithms,
      signatureAlgorithmNames,
      'TLS signature algorithms',
      reasons.at('signature_algorithms'),
    ),
  };
}

/** Entries may hold several names between colons, as Envoy's do. */
function decodeNames(
  configured: readonly string[],
  known: readonly string[],
  what: string,
  reasons: Reasons,
): readonly string[] {
  const text = configured.join(':');
  const names = text.split(':').filter((name) => name !== '');
  const canonical = names.map(canonicalSignatureAlgorithm);
  const unknown = names.filter((name, i) => !known.includes(name) || canonical.indexOf(canonical[i]) < i);
  if (unknown.length > 0)
    reasons.add(
      `Failed to initialize ${what} ${text}: '${unknown.join("', '")}' is not one of ${known.join(', ')}, or is there twice`,
    );
  return canonical;
}
