import type { CertificateSecret } from '../../../identity/secret-data.ts';
import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';
import { certificatesOfPem, keyOfPem, withBio } from './pem.ts';

const AddChainCertificate = 89;

interface Loaded {
  readonly chain: readonly Pointer[];
  readonly key: Pointer;
}

/** Puts a certificate with its chain and key into a context. Throws what is wrong with it, and where it came from. */
export function useCertificate(ssl: OpenSsl, context: Pointer, secret: CertificateSecret): void {
  const loaded = secret.pkcs12 === null ? fromPem(ssl, secret) : fromPkcs12(ssl, secret, secret.pkcs12);
  const { chain, key } = loaded;
  const isUsed =
    chain.length > 0 &&
    ssl.SSL_CTX_use_certificate(context, chain[0]) === 1 &&
    key !== 0n &&
    ssl.SSL_CTX_use_PrivateKey(context, key) === 1 &&
    ssl.SSL_CTX_check_private_key(context) === 1;
  // With 0: the context takes over what it is given.
  for (const [i, certificate] of chain.entries()) {
    if (i === 0 || !isUsed) ssl.X509_free(certificate);
    else ssl.SSL_CTX_ctrl(context, AddChainCertificate, 0n, certificate);
  }
  if (key !== 0n) ssl.EVP_PKEY_free(key);
  ssl.ERR_clear_error();
  if (isUsed) return;
  if (chain.length === 0) throw new Error(`Failed to load certificate chain from ${secret.origin}`);
  throw new Error(
    `Failed to load private key from ${secret.origin}: it is not the key of the certificate, or its password is wrong`,
  );
}

function fromPem(ssl: OpenSsl, { chainPem, keyPem, password }: CertificateSecret): Loaded {
  return { chain: certificatesOfPem(ssl, chainPem), key: keyOfPem(ssl, keyPem, password) };
}

function fromPkcs12(ssl: OpenSsl, { password, origin }: CertificateSecret, bytes: Uint8Array): Loaded {
  const container = withBio(ssl, bytes, (bio) => ssl.d2i_PKCS12_bio(bio, 0n));
  if (container === 0n) throw new Error(`Failed to load pkcs12 from ${origin}`);
  const [key, leaf, above] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)];
  const isRead = ssl.PKCS12_parse(container, Buffer.from(`${password}\0`), key, leaf, above) === 1;
  ssl.PKCS12_free(container);
  ssl.ERR_clear_error();
  if (!isRead) throw new Error(`Failed to load pkcs12 from ${origin}: its password is wrong, or it is damaged`);
  const stack = above.readBigUInt64LE();
  const chain = [leaf.readBigUInt64LE()].filter((certificate) => certificate !== 0n);
  const others = stack === 0n ? 0 : ssl.OPENSSL_sk_num(stack);
  for (let i = 0; i < others; i++) chain.push(ssl.OPENSSL_sk_value(stack, i));
  if (stack !== 0n) ssl.OPENSSL_sk_free(stack);
  return { chain, key: key.readBigUInt64LE() };
}
