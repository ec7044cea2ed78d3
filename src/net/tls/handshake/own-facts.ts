import { readCertificate, type Certificate } from '../../../identity/certificate.ts';
import { derOf } from './handshake-facts.ts';
import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';

/** The certificate that a context presents. */
export function ownFacts(ssl: OpenSsl, context: Pointer): { facts: Certificate; keyType: number } {
  const der = derOf(ssl, ssl.SSL_CTX_get0_certificate(context));
  if (der === null) throw new Error('the certificate is larger than 64 KiB');
  return { facts: readCertificate(der), keyType: ssl.EVP_PKEY_get_base_id(ssl.SSL_CTX_get0_privatekey(context)) };
}
