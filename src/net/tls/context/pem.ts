import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';

/** More than any bundle has; PEM of a secret is bounded by its decoder. */
const objectsMax = 10_000;

/** Every certificate of a PEM text. The caller frees them. */
export function certificatesOfPem(ssl: OpenSsl, pem: string): Pointer[] {
  return objectsOfPem(ssl, pem, (bio) => ssl.PEM_read_bio_X509(bio, 0n, 0n, 0n));
}

/** Every certificate revocation list of a PEM text. The caller frees them. */
export function crlsOfPem(ssl: OpenSsl, pem: string): Pointer[] {
  return objectsOfPem(ssl, pem, (bio) => ssl.PEM_read_bio_X509_CRL(bio, 0n, 0n, 0n));
}

/** 0n: none that this password opens. The caller frees it. */
export function keyOfPem(ssl: OpenSsl, pem: string, password: string): Pointer {
  return withBio(ssl, Buffer.from(pem), (bio) =>
    ssl.PEM_read_bio_PrivateKey(bio, 0n, 0n, Buffer.from(`${password}\0`)),
  );
}

export function withBio<T>(ssl: OpenSsl, bytes: Uint8Array, read: (bio: Pointer) => T): T {
  const bio = ssl.BIO_new_mem_buf(bytes, bytes.length);
  const result = read(bio);
  ssl.BIO_free(bio);
  // The end of a list is an error to OpenSSL.
  ssl.ERR_clear_error();
  return result;
}

function objectsOfPem(ssl: OpenSsl, pem: string, next: (bio: Pointer) => Pointer): Pointer[] {
  return withBio(ssl, Buffer.from(pem), (bio) => {
    const objects: Pointer[] = [];
    for (let i = 0; i < objectsMax; i++) {
      const object = next(bio);
      if (object === 0n) break;
      objects.push(object);
    }
    return objects;
  });
}
