import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { CertificateError, type Certificate } from './certificate.ts';
import { certificatesOfPem } from './pem.ts';

/** Envoy's least size of an RSA key. */
const rsaBitsMin = 2048;
/** OpenSSL's names of P-256, P-384 and P-521. */
const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Certificates of a chain, leaf first; a sentence, Envoy's and what follows it, where they cannot be used. */
export function openChain(pem: string, origin: string): readonly Certificate[] | string {
  const refused = `Failed to load certificate chain from ${origin}`;
  let chain: readonly Certificate[];
  try {
    chain = certificatesOfPem(pem);
  } catch (error) {
    if (error instanceof CertificateError) return `${refused}: ${error.message}`;
    throw error;
  }
  if (chain.length === 0) return `${refused}: it has no certificate`;
  const problem = keyProblem(chain[0]);
  return problem === '' ? chain : `${refused}, ${problem}`;
}

function keyProblem({ der }: Certificate): string {
  let key: KeyObject;
  try {
    key = new X509Certificate(der).publicKey;
  } catch {
    return 'whose public key cannot be read';
  }
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength < rsaBitsMin)
    return `only RSA certificates with ${rsaBitsMin}-bit or larger keys are supported`;
  if (key.asymmetricKeyType === 'ec' && !curves.has(namedCurve))
    return 'only P-256, P-384 or P-521 ECDSA certificates are supported';
  return '';
}

/** Why a key cannot be used for a certificate, as Envoy says it; empty: it can. */
export function privateKeyProblem(pem: string, password: string, origin: string, leaf: Certificate): string {
  const refused = `Failed to load private key from ${origin}, Cause: error:`;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, ...(password === '' ? {} : { passphrase: password }) });
  } catch (error) {
    return refused + unreadable(pem, (error as NodeJS.ErrnoException).code ?? '');
  }
  const certificate = new X509Certificate(leaf.der);
  if (certificate.checkPrivateKey(key)) return '';
  const isOfType = key.asymmetricKeyType === certificate.publicKey.asymmetricKeyType;
  const what = isOfType ? '0b000074' : '0b000073';
  const word = isOfType ? 'KEY_VALUES_MISMATCH' : 'KEY_TYPE_MISMATCH';
  return `${refused}${what}:X.509 certificate routines:OPENSSL_internal:${word} (it is not the key of '${leaf.subject}')`;
}

/** BoringSSL's words for what Node says. */
function unreadable(pem: string, code: string): string {
  if (code === 'ERR_MISSING_PASSPHRASE' || code === 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED')
    return '09000068:PEM routines:OPENSSL_internal:BAD_PASSWORD_READ (it is encrypted, and there is no password)';
  if (code.includes('BAD_DECRYPT')) return '1e000065:Cipher functions:OPENSSL_internal:BAD_DECRYPT (wrong password)';
  if (!pem.includes('-----BEGIN ')) return '0900006e:PEM routines:OPENSSL_internal:NO_START_LINE (it has no PEM)';
  return code === '' ? 'unknown' : code;
}

/** Why a PKCS#12 file cannot be used; empty: it can. */
export function pkcs12Problem(bytes: Uint8Array, password: string, origin: string): string {
  try {
    // Loaded where a PKCS#12 file is configured: few have one.
    process.getBuiltinModule('node:tls').createSecureContext({ pfx: Buffer.from(bytes), passphrase: password });
    return '';
  } catch (error) {
    return `Failed to load pkcs12 from ${origin}: ${(error as Error).message}`;
  }
}

/** A server's certificate must say whose it is. Envoy's words; empty: it does. */
export function serverNameProblem({ commonNames, dnsNames, uris, ipAddresses }: Certificate): string {
  const [commonName] = commonNames;
  if (commonName === '') return 'Invalid TLS context has an empty subject CN';
  const isNameless = dnsNames.length + uris.length + ipAddresses.length === 0;
  return commonName === undefined && isNameless ? 'Invalid TLS context has neither subject CN nor SAN names' : '';
}
