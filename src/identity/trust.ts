import { CertificateError } from './certificate.ts';
import { DerError, DerReader, tags } from './asn1/der-reader.ts';
import { certificatesOfPem, pemBlocks } from './pem.ts';
import type { ValidationSecret } from './secret-data.ts';

const crlLabel = 'X509 CRL';

/** Why the roots of a PEM text cannot be used; empty: they can. */
export function rootsProblem(pem: string, origin: string): string {
  const refused = `Failed to load trusted CA certificates from ${origin}`;
  try {
    return certificatesOfPem(pem).length === 0 ? `${refused}: it has no certificate` : '';
  } catch (error) {
    if (error instanceof CertificateError) return `${refused}: ${error.message}`;
    throw error;
  }
}

/** Why the revocation lists of a PEM text cannot be used; empty: they can. */
export function crlsProblem(pem: string, origin: string): string {
  const lists = pemBlocks(pem).filter(({ label }) => label === crlLabel);
  if (lists.length === 0) return `Failed to load CRL from ${origin}: it has no certificate revocation list`;
  return lists.every(({ bytes }) => isCertificateList(bytes)) ? '' : `Failed to load CRL from ${origin}`;
}

/** Lists that stand among the roots count as well. */
export function crlsAmongRoots(pem: string): string {
  return pemBlocks(pem)
    .filter(({ label }) => label === crlLabel)
    .map(({ bytes }) => {
      const base64 = Buffer.from(bytes).toString('base64');
      return `-----BEGIN ${crlLabel}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${crlLabel}-----\n`;
    })
    .join('');
}

function isCertificateList(der: Uint8Array): boolean {
  try {
    const list = new DerReader(der).expect(tags.sequence).inner;
    list.expect(tags.sequence);
    list.expect(tags.sequence);
    list.expect(tags.bitString);
    return true;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

/** What Envoy refuses where there is no trusted CA, of a whole context or of one merged of two parts. */
export function problemWithoutRoots(secret: ValidationSecret): string {
  if (secret.trustedCaPem !== '' || secret.spiffeTrustDomains !== null) return '';
  if (secret.crlPem !== '') return `Failed to load CRL from ${secret.crlOrigin} without trusted CA`;
  if (secret.sanMatchers.length > 0)
    return 'SAN-based verification of peer certificates without trusted CA is insecure and not allowed';
  if (secret.allowExpired) return 'Certificate validity period is always ignored without trusted CA';
  return '';
}

/** Whether a server asks its clients for a certificate, and whether they may go on without. */
export type ClientCertificateDemand = 'none' | 'optional' | 'required';

/**
 * Envoy's rules: names and pins must hold, so that there must be a certificate whatever `require_client_certificate`
 * says, and without roots and pins nobody is asked.
 */
export function clientCertificateDemand(
  secret: ValidationSecret | null,
  requireClientCertificate: boolean,
): ClientCertificateDemand {
  if (secret === null) return 'none';
  if (secret.spiffeTrustDomains !== null) return 'required';
  const pins = secret.sanMatchers.length + secret.certificateHashes.length + secret.spkiHashes.length > 0;
  const hasRoots = secret.trustedCaPem !== '';
  if ((hasRoots && requireClientCertificate) || (pins && !secret.acceptUntrusted)) return 'required';
  return hasRoots || pins || secret.acceptUntrusted ? 'optional' : 'none';
}
