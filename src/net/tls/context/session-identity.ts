import { createHash } from 'node:crypto';
import { certificatesOfPem } from '../../../identity/pem.ts';
import type { CertificateSecret, ValidationSecret } from '../../../identity/secret-data.ts';
import type { DownstreamTlsData } from '../../../identity/tls-context-data.ts';

/** What a listener is to its clients, and what it asks of them. */
export interface SessionParts {
  readonly data: DownstreamTlsData;
  readonly certificates: readonly CertificateSecret[];
  readonly validation: ValidationSecret | null;
}

/**
 * Sessions are taken up only where this is the same: by a listener of the same names, which asks the same of its clients.
 * Neither a renewed certificate nor the next generation of ticket keys ends a session; as in Envoy.
 */
export function sessionIdentity({ data, certificates, validation }: SessionParts): Buffer {
  const asked = { ...data, certificates: null, validation: null, ticketKeys: null, keyLog: null };
  return createHash('sha256')
    .update(JSON.stringify([certificates.map(namesOf), validation, asked]))
    .digest();
}

function namesOf({ chainPem, pkcs12 }: CertificateSecret): readonly unknown[] {
  if (pkcs12 !== null) return [createHash('sha256').update(pkcs12).digest('base64')];
  const { subject, issuer, dnsNames, uris, ipAddresses } = certificatesOfPem(chainPem)[0];
  return [subject, issuer, dnsNames, uris, ipAddresses];
}
