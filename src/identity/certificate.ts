import { hash } from 'node:crypto';
import type { CertificateFacts } from '../core/tls-facts.ts';
import { asn1TimeMs } from './asn1/asn1-time.ts';
import { DerError, DerReader, tags } from './asn1/der-reader.ts';
import { commonNames, distinguishedName } from './asn1/distinguished-name.ts';
import { generalNames, type GeneralName } from './asn1/general-name.ts';
import { dottedOid } from './asn1/object-identifier.ts';
import type { SanType } from './secret-data.ts';

/** Bytes that are no X.509 certificate. */
export class CertificateError extends Error {}

/** Bits of `keyUsage`, the first named in RFC 5280 section 4.2.1.3 being 1. */
export const keyUsages = { digitalSignature: 1, keyEncipherment: 4, keyCertSign: 32, crlSign: 64 } as const;

const subjectAltName = '2.5.29.17';
const basicConstraints = '2.5.29.19';
const keyUsageExtension = '2.5.29.15';
/** RFC 7633: promises of the certificate about handshakes. */
const tlsFeature = '1.3.6.1.5.5.7.1.24';
/** A sequence of the one feature status_request. */
const mustStaple = '3003020105';

/**
 * A certificate read from DER by `readCertificate`. What it is asked for is read then, once: most connections are asked
 * for little. It holds the DER and nothing of OpenSSL's.
 */
export class Certificate implements CertificateFacts {
  readonly der: Uint8Array;
  readonly validFromEpochMs: number;
  readonly validToEpochMs: number;
  private readonly parts: Parts;
  private readSubject: string | null;
  private readIssuer: string | null;
  private readNames: readonly GeneralName[] | null;
  private readSha1: string | null;
  private readSha256: string | null;

  constructor(der: Uint8Array, parts: Parts) {
    this.der = der;
    this.parts = parts;
    this.validFromEpochMs = parts.validFromEpochMs;
    this.validToEpochMs = parts.validToEpochMs;
    this.readSubject = null;
    this.readIssuer = null;
    this.readNames = null;
    this.readSha1 = null;
    this.readSha256 = null;
  }

  get subject(): string {
    return (this.readSubject ??= tolerant(() => distinguishedName(this.within(this.parts.subject)), ''));
  }

  get issuer(): string {
    return (this.readIssuer ??= tolerant(() => distinguishedName(this.within(this.parts.issuer)), ''));
  }

  /** Of the subject, in order. */
  get commonNames(): readonly string[] {
    return tolerant(() => commonNames(this.within(this.parts.subject)), []);
  }

  get serial(): string {
    return serialText(this.bytes(this.parts.serial));
  }

  get sha1(): string {
    return (this.readSha1 ??= hash('sha1', this.der, 'hex'));
  }

  get sha256(): string {
    return (this.readSha256 ??= hash('sha256', this.der, 'hex'));
  }

  /** SHA-256 of the public key with its algorithm, in base64: what `verify_certificate_spki` pins. */
  get spkiSha256(): string {
    return hash('sha256', this.bytes(this.parts.publicKey), 'base64');
  }

  get dnsNames(): readonly string[] {
    return this.namesOf('DNS');
  }

  get uris(): readonly string[] {
    return this.namesOf('URI');
  }

  get emails(): readonly string[] {
    return this.namesOf('EMAIL');
  }

  get ipAddresses(): readonly string[] {
    return this.namesOf('IP_ADDRESS');
  }

  get otherNames(): readonly string[] {
    return this.namesOf('OTHER_NAME');
  }

  /** Subject alternative names of every type, in the certificate's order. */
  get names(): readonly GeneralName[] {
    return (this.readNames ??= this.extension(subjectAltName, (names) => generalNames(names.inner), []));
  }

  /** It may sign others. */
  get isAuthority(): boolean {
    return this.extension(
      basicConstraints,
      (constraints) => {
        const parts = constraints.inner;
        return parts.next() && parts.tag === tags.boolean && parts.content.some((byte) => byte !== 0);
      },
      false,
    );
  }

  /** Bits of `keyUsages`; null: the certificate does not say. */
  get keyUsage(): number | null {
    return this.extension(
      keyUsageExtension,
      (usage) => {
        const [, low = 0, high = 0] = usage.content;
        return reversedBits(low) | (reversedBits(high) << 8);
      },
      null,
    );
  }

  /** Servers that present it must staple an OCSP response. */
  get isMustStaple(): boolean {
    return this.extension(tlsFeature, (feature) => Buffer.from(feature.element).toString('hex') === mustStaple, false);
  }

  get pem(): string {
    const base64 = Buffer.from(this.der).toString('base64');
    return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
  }

  private namesOf(type: SanType): readonly string[] {
    const { names } = this;
    const found = names.filter((name) => name.type === type);
    return found.length === 0 ? none : found.map(({ value }) => value);
  }

  /** `read` gets the element inside the extension of this number. */
  private extension<T>(oid: string, read: (value: DerReader) => T, otherwise: T): T {
    return tolerant(() => {
      const extensions = this.within(this.parts.extensions);
      while (extensions.next()) {
        const parts = extensions.inner;
        if (dottedOid(parts.expect(tags.oid).content) !== oid) continue;
        while (parts.next()) {
          // Between the number and the value may stand whether it is critical.
          if (parts.tag !== tags.octetString) continue;
          const value = parts.inner;
          return value.next() ? read(value) : otherwise;
        }
      }
      return otherwise;
    }, otherwise);
  }

  private bytes([start, end]: Span): Uint8Array {
    return this.der.subarray(start, end);
  }

  private within([start, end]: Span): DerReader {
    return new DerReader(this.der, start, end);
  }
}

/** Of the content of an INTEGER. */
export function serialText(content: Uint8Array): string {
  const isNegative = content.length > 0 && content[0] >= 0x80;
  const value = BigInt(`0x0${Buffer.from(content).toString('hex')}`);
  const digits = (isNegative ? (1n << BigInt(content.length * 8)) - value : value).toString(16);
  const whole = digits === '0' || digits.length % 2 === 0 ? digits : `0${digits}`;
  return isNegative ? `-${whole}` : whole;
}

const none: readonly string[] = [];

type Span = readonly [start: number, end: number];

/** Where the parts of a certificate lie in its DER. Of all but the key the content, without tag and length. */
interface Parts {
  readonly serial: Span;
  readonly issuer: Span;
  readonly subject: Span;
  readonly publicKey: Span;
  /** Empty: there are none. */
  readonly extensions: Span;
  readonly validFromEpochMs: number;
  readonly validToEpochMs: number;
}

/** @throws CertificateError of anything but one X.509 certificate */
export function readCertificate(der: Uint8Array): Certificate {
  try {
    return new Certificate(der, readParts(der));
  } catch (error) {
    if (error instanceof DerError) throw new CertificateError(`not an X.509 certificate: ${error.message}`);
    throw error;
  }
}

/** RFC 5280 section 4.1. */
function readParts(der: Uint8Array): Parts {
  const whole = new DerReader(der);
  const certificate = whole.expect(tags.sequence).inner;
  if (whole.next()) throw new DerError('more than one element');
  const fields = certificate.expect(tags.sequence).inner;
  certificate.expect(tags.sequence);
  certificate.expect(tags.bitString);
  fields.next();
  if (fields.tag === explicit(0)) fields.next();
  if (fields.tag !== tags.integer) throw new DerError('no serial number');
  const serial = span(fields);
  fields.expect(tags.sequence);
  const issuer = span(fields.expect(tags.sequence));
  const validity = fields.expect(tags.sequence).inner;
  const subject = span(fields.expect(tags.sequence));
  fields.expect(tags.sequence);
  const publicKey: Span = [fields.start, fields.at];
  let extensions: Span = [0, 0];
  while (fields.next()) if (fields.tag === explicit(3)) extensions = span(fields.inner.expect(tags.sequence));
  return {
    serial,
    issuer,
    subject,
    publicKey,
    extensions,
    validFromEpochMs: readTime(validity),
    validToEpochMs: readTime(validity),
  };
}

function readTime(validity: DerReader): number {
  if (!validity.next()) throw new DerError('no validity');
  return asn1TimeMs(validity.tag, validity.content);
}

function explicit(number: number): number {
  return 0xa0 | number;
}

function span(reader: DerReader): Span {
  return [reader.contentStart, reader.at];
}

/** What OpenSSL takes although a part of it cannot be read: that part is as if it were not there. */
function tolerant<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return otherwise;
    throw error;
  }
}

function reversedBits(byte: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) reversed |= 1 << bit;
  return reversed;
}
