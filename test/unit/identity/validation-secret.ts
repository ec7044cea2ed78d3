import type { ValidationSecret } from '../../../src/identity/secret-data.ts';

/** A validation context that asks for nothing but what it is told. */
export function validationSecret(parts: Partial<ValidationSecret> = {}): ValidationSecret {
  return {
    kind: 'validation',
    trustedCaPem: '',
    trustedCaOrigin: '',
    crlPem: '',
    crlOrigin: '',
    sanMatchers: [],
    certificateHashes: [],
    spkiHashes: [],
    allowExpired: false,
    acceptUntrusted: false,
    onlyVerifyLeafCrl: false,
    maxVerifyDepth: null,
    requireSignedCertificateTimestamp: false,
    spiffeTrustDomains: null,
    ...parts,
  };
}
