import { readFileSync } from 'node:fs';

/** Where distributions keep the roots that they trust; the first that is there. */
const places = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/ssl/cert.pem',
];

/** PEM of the system's roots, and where they were; null: there are none. */
export function readSystemRoots(): { readonly pem: string; readonly origin: string } | null {
  for (const origin of places) {
    try {
      return { pem: readFileSync(origin, 'latin1'), origin };
    } catch {
      // Another distribution's.
    }
  }
  return null;
}
