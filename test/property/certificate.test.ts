import { expect, test } from 'vitest';
import { CertificateError, readCertificate, type Certificate } from '../../src/identity/certificate.ts';
import { Authority, element } from '../certificates.ts';
import * as fc from './chance.ts';

const root = await Authority.root();
const { der } = await root.issue({
  dns: ['a.example'],
  uris: ['spiffe://a/b'],
  emails: ['a@b'],
  ips: ['10.0.0.1', '::1'],
  otherNames: [{ oid: '1.2.3', value: element(0x0c, Buffer.from('x')) }],
});

/** Whatever it is asked. */
function everything(certificate: Certificate): unknown[] {
  const { subject, issuer, commonNames, serial, sha1, sha256, spkiSha256, names, pem } = certificate;
  return [
    subject,
    issuer,
    commonNames,
    serial,
    sha1,
    sha256,
    spkiSha256,
    names,
    pem,
    certificate.keyUsage,
    certificate.isAuthority,
    certificate.isMustStaple,
  ];
}

/** Read out of a larger buffer, whose other bytes must not show. */
function readWithin(bytes: Uint8Array, around: number): unknown[] | 'none' {
  const whole = new Uint8Array(bytes.length + 64).fill(around);
  whole.set(bytes, 32);
  try {
    return everything(readCertificate(whole.subarray(32, 32 + bytes.length)));
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return 'none';
  }
}

test('no bytes make reading fail in another way than its own, and nothing beyond them is read', () => {
  const changed = fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
    const bytes = Uint8Array.from(der);
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  const cut = fc.nat(der.length).map((length) => der.slice(0, length));
  fc.assert(
    fc.property(fc.oneof(changed, cut, fc.uint8Array({ maxLength: 64 })), (bytes) => {
      expect(readWithin(bytes, 0xff)).toEqual(readWithin(bytes, 0));
    }),
    { numRuns: 3000 },
  );
});
