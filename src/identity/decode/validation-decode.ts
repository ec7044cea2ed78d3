import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { DataSource } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  CertificateValidationContext_TrustChainVerification as TrustChainVerification,
  CertificateValidationContextSchema,
  type CertificateValidationContext,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { SanMatcherData, ValidationSecret } from '../secret-data.ts';
import { readSystemRoots } from '../system-roots.ts';
import { crlsAmongRoots, crlsProblem, problemWithoutRoots, rootsProblem } from '../trust.ts';
import { textOf, watchedDirectoryFields, type SourceReader } from './data-source-decode.ts';
import { decodeSanMatchers, decodeUntypedSanMatchers } from './san-matcher-decode.ts';
import { decodeSpiffeValidator } from './spiffe-decode.ts';

const supported = new SupportedFields(
  CertificateValidationContextSchema,
  [
    'trusted_ca',
    'system_root_certs',
    'watched_directory',
    'verify_certificate_spki',
    'verify_certificate_hash',
    'match_typed_subject_alt_names',
    'match_subject_alt_names',
    'crl',
    'allow_expired_certificate',
    'trust_chain_verification',
    'custom_validator_config',
    'only_verify_leaf_cert_crl',
    'max_verify_depth',
    'suppress_client_ca_list',
  ],
  // Envoy has never done anything with it.
  ['require_signed_certificate_timestamp'],
);

const sha256Hex = /^[0-9a-fA-F]{64}$/;
const sha256HexWithColons = /^([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}$/;
const sha256Base64 = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Reads a validation context. Where it cannot be used, reasons are added.
 * @param isPart it is merged with another, which may have the roots that this one lacks
 */
export function decodeValidation(
  message: CertificateValidationContext,
  reasons: Reasons,
  reader: SourceReader,
  isPart: boolean,
): ValidationSecret {
  supported.check(message, reasons);
  if (message.watchedDirectory !== undefined) {
    watchedDirectoryFields.check(message.watchedDirectory, reasons.at('watched_directory'));
    reader.watch(message.watchedDirectory.path);
  }
  const custom = message.customValidatorConfig;
  const spiffeTrustDomains =
    custom === undefined ? null : decodeSpiffeValidator(custom, reasons.at('custom_validator_config'), reader);
  const roots = decodeRoots(message, reasons, reader);
  const crl = decodeCrl(message.crl, reasons.at('crl'), reader);
  const ownCrls = crlsAmongRoots(roots.pem);
  const secret: ValidationSecret = {
    kind: 'validation',
    // The SPIFFE validator has roots of its own, and looks at no others.
    trustedCaPem: spiffeTrustDomains === null ? roots.pem : '',
    trustedCaOrigin: roots.origin,
    crlPem: spiffeTrustDomains === null ? crl.pem + ownCrls : '',
    crlOrigin: crl.origin === '' && ownCrls !== '' ? roots.origin : crl.origin,
    sanMatchers: decodeNames(message, reasons),
    certificateHashes: message.verifyCertificateHash.map((hash, i) =>
      decodeHash(hash, reasons.at('verify_certificate_hash', i)),
    ),
    spkiHashes: message.verifyCertificateSpki.map((hash, i) =>
      decodeSpki(hash, reasons.at('verify_certificate_spki', i)),
    ),
    allowExpired: message.allowExpiredCertificate,
    acceptUntrusted: message.trustChainVerification === TrustChainVerification.ACCEPT_UNTRUSTED,
    onlyVerifyLeafCrl: message.onlyVerifyLeafCertCrl,
    maxVerifyDepth: message.maxVerifyDepth ?? null,
    requireSignedCertificateTimestamp: false,
    spiffeTrustDomains,
    suppressClientCaList: message.suppressClientCaList,
  };
  const problem = isPart || roots.isRefused ? '' : problemWithoutRoots(secret);
  if (problem !== '') reasons.add(problem);
  return secret;
}

interface Pem {
  readonly pem: string;
  readonly origin: string;
  readonly isRefused: boolean;
}

const noPem: Pem = { pem: '', origin: '', isRefused: false };

function decodeRoots(message: CertificateValidationContext, reasons: Reasons, reader: SourceReader): Pem {
  if (message.trustedCa !== undefined) {
    const at = reasons.at('trusted_ca');
    const read = reader.read(message.trustedCa, at);
    const pem = textOf(read);
    const problem =
      read.problem !== '' ? read.problem : pem === '' ? nothingIn(read.origin) : rootsProblem(pem, read.origin);
    if (problem !== '') at.add(problem);
    return { pem, origin: read.origin, isRefused: problem !== '' };
  }
  if (message.systemRootCerts === undefined) return noPem;
  const roots = readSystemRoots();
  if (roots === null) reasons.at('system_root_certs').add('no root certificates of this system were found');
  return roots === null ? { ...noPem, isRefused: true } : { ...roots, isRefused: false };
}

function nothingIn(origin: string): string {
  return origin === '' ? 'DataSource cannot be empty' : `file ${origin} is empty`;
}

function decodeCrl(source: DataSource | undefined, reasons: Reasons, reader: SourceReader): Pem {
  if (source === undefined) return noPem;
  const read = reader.read(source, reasons);
  const pem = textOf(read);
  const problem = read.problem === '' ? crlsProblem(pem, read.origin) : read.problem;
  if (problem !== '') reasons.add(problem);
  return { pem, origin: read.origin, isRefused: problem !== '' };
}

/** Envoy passes over the older field where there is the newer. */
function decodeNames(message: CertificateValidationContext, reasons: Reasons): SanMatcherData[] {
  const { matchTypedSubjectAltNames, matchSubjectAltNames } = message;
  return matchTypedSubjectAltNames.length > 0
    ? decodeSanMatchers(matchTypedSubjectAltNames, reasons)
    : decodeUntypedSanMatchers(matchSubjectAltNames, reasons);
}

function decodeHash(hash: string, reasons: Reasons): string {
  if (!sha256Hex.test(hash) && !sha256HexWithColons.test(hash)) reasons.add(`Invalid hex-encoded SHA-256 ${hash}`);
  return hash.replaceAll(':', '').toLowerCase();
}

function decodeSpki(hash: string, reasons: Reasons): string {
  const bytes = Buffer.from(hash, 'base64');
  if (!sha256Base64.test(hash) || bytes.length !== 32) reasons.add(`Invalid base64-encoded SHA-256 ${hash}`);
  // Written in one way: the last character has bits that do not count.
  return bytes.toString('base64');
}
