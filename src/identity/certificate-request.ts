import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import {
  derBitString,
  derElement,
  derInteger,
  derOid,
  derSequence,
  derSet,
  derTime,
  derTrue,
} from './asn1/der-writer.ts';
import { tags } from './asn1/der-reader.ts';

const oids = {
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  commonName: '2.5.4.3',
  extensionRequest: '1.2.840.113549.1.9.14',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  rsaWithSha256: '1.2.840.113549.1.1.11',
} as const;

/** Context tags: attributes of a request, version and extensions of a certificate, a URI among names. */
const Context = { attributes: 0xa0, version: 0xa0, extensions: 0xa3, uri: 0x86 } as const;

/** What names the subject of a certificate that is asked for. */
export interface RequestedSubject {
  /** `spiffe://…`: the only name, as a critical extension, for the subject is empty (RFC 5280 section 4.2.1.6). */
  readonly uri: string;
}

/** PEM of a PKCS #10 request (RFC 2986), signed by the key (EC or RSA) with SHA-256: what istiod's CA takes. */
export function certificateRequestPem(key: KeyObject, { uri }: RequestedSubject): string {
  const attribute = derSequence(derOid(oids.extensionRequest), derSet(derSequence(uriExtension(uri))));
  const info = derSequence(
    derInteger(Uint8Array.of(0)),
    derSequence(),
    publicKeyOf(key),
    derElement(Context.attributes, attribute),
  );
  return pem('CERTIFICATE REQUEST', signed(info, key));
}

/** What a certificate says that is made here: of an authority for tests, or by one. */
export interface IssuedCertificate {
  readonly serial: Uint8Array;
  /** Common names; empty: no subject. */
  readonly issuer: string;
  readonly subject: string;
  /** Empty: an authority. */
  readonly uri: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly publicKey: KeyObject;
}

/** PEM of an X.509 certificate, signed by the authority's key. Not for production: ztunnel's FAKE_CA. */
export function issuedCertificatePem(wish: IssuedCertificate, authority: KeyObject): string {
  const isAuthority = wish.uri === '';
  const extensions = isAuthority
    ? [
        extension(oids.basicConstraints, true, derSequence(derTrue)),
        // keyCertSign and cRLSign.
        extension(oids.keyUsage, true, derElement(tags.bitString, Uint8Array.of(1, 0x06))),
      ]
    : [
        // digitalSignature and keyEncipherment.
        extension(oids.keyUsage, true, derElement(tags.bitString, Uint8Array.of(5, 0xa0))),
        extension(oids.extendedKeyUsage, false, derSequence(derOid(oids.serverAuth), derOid(oids.clientAuth))),
        uriExtension(wish.uri),
      ];
  const content = derSequence(
    derElement(Context.version, derInteger(Uint8Array.of(2))),
    derInteger(wish.serial),
    algorithmOf(authority),
    nameOf(wish.issuer),
    derSequence(derTime(wish.validFromMs), derTime(wish.validToMs)),
    nameOf(wish.subject),
    new Uint8Array(wish.publicKey.export({ type: 'spki', format: 'der' })),
    derElement(Context.extensions, derSequence(...extensions)),
  );
  return pem('CERTIFICATE', signed(content, authority));
}

function signed(content: Uint8Array, key: KeyObject): Uint8Array {
  return derSequence(content, algorithmOf(key), derBitString(sign('sha256', content, key)));
}

function algorithmOf(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType === 'rsa') return derSequence(derOid(oids.rsaWithSha256), derElement(tags.null));
  return derSequence(derOid(oids.ecdsaWithSha256));
}

function publicKeyOf(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
}

function uriExtension(uri: string): Uint8Array {
  return extension(oids.subjectAltName, true, derSequence(derElement(Context.uri, Buffer.from(uri, 'latin1'))));
}

function extension(oid: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  const parts = [derOid(oid), ...(isCritical ? [derTrue] : []), derElement(tags.octetString, value)];
  return derSequence(...parts);
}

function nameOf(commonName: string): Uint8Array {
  if (commonName === '') return derSequence();
  const attribute = derSequence(derOid(oids.commonName), derElement(tags.utf8String, Buffer.from(commonName)));
  return derSequence(derSet(attribute));
}

function pem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}
